<?php
// Sends a text: php send_text.php "970-690-4544" "See you at 10:30."
// Your credentials are in the environment. It needs PHP's curl extension.

const HUB = 'https://sms-hub.example';

[, $number, $message] = $argv;
$text = ['PhoneNumber' => $number, 'Message' => $message];
// With the same key it is sent once, however often the call is repeated.
$once = 'Idempotency-Key: ' . bin2hex(random_bytes(16));

$token = log_in();
$sent = call('/api/TextMessages', $text, $once);
echo "$sent[Id] is $sent[Status].\n";

// What has become of it? Ask again later, as often as you like.
$now = call("/api/TextMessages/$sent[Id]");
echo "$now[SentResult]\n";

function log_in()
{
    return checked(...request('/api/Login', [
        'ProgramSID' => getenv('SMSHUB_PROGRAM_SID'),
        'ProgramKey' => getenv('SMSHUB_PROGRAM_KEY'),
    ]));
}

function call($path, $body = null, ...$headers)
{
    global $token;
    for ($attempt = 1; $attempt <= 2; $attempt++) {
        $bearer = "Authorization: Bearer $token";
        [$status, $answer] = request($path, $body, $bearer, ...$headers);
        if ($status === 401) { // The token has expired.
            $token = log_in();
        } elseif ($status !== 0) { // There was an answer.
            break;
        }
    }
    return checked($status, $answer);
}

// The status, which is 0 where no answer comes, and the answer.
function request($path, $body, ...$headers)
{
    $curl = curl_init(HUB . $path);
    $headers[] = 'Content-Type: application/json';
    curl_setopt_array($curl, [
        CURLOPT_HTTPHEADER => $headers,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 30,
    ]);
    if ($body) {
        curl_setopt($curl, CURLOPT_POSTFIELDS, json_encode($body));
    }
    $answer = curl_exec($curl);
    if ($answer === false) {
        return [0, ['type' => 'no-answer', 'detail' => curl_error($curl)]];
    }
    $status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
    return [$status, json_decode($answer, true)];
}

function checked($status, $answer)
{
    if ($status === 200) {
        return $answer;
    }
    $type = $answer['type'] ?? $status;
    $detail = $answer['detail'] ?? 'This is not an answer of the hub.';
    fwrite(STDERR, "$type: $detail\n");
    exit(1);
}
