<?php
// php curl.php HUB PROGRAM_ID PROGRAM_SID PROGRAM_KEY

list(, $hub, $programId, $programSid, $programKey) = $argv;

function post($path, $body, $token = null)
{
    global $hub;
    $json = json_encode($body);
    $headers = array('Content-Type: application/json', 'Content-Length: ' . strlen($json));
    if ($token) {
        $headers[] = 'Authorization: Bearer ' . $token;
    }
    $ch = curl_init($hub . $path);
    curl_setopt($ch, CURLOPT_CUSTOMREQUEST, 'POST');
    curl_setopt($ch, CURLOPT_POSTFIELDS, $json);
    curl_setopt($ch, CURLOPT_HTTPHEADER, $headers);
    curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
    curl_setopt($ch, CURLOPT_TIMEOUT, 5);
    $answer = curl_exec($ch);
    $status = curl_getinfo($ch, CURLINFO_HTTP_CODE);
    curl_close($ch);
    return array($status, $answer);
}

function login()
{
    global $programSid, $programKey, $token;
    list($status, $answer) = post('/api/Login', array('programSID' => $programSid, 'programKey' => $programKey));
    if ($status != 200) {
        die('No login');
    }
    $token = trim($answer, '"');
}

function call($path, $body)
{
    global $token;
    list($status, $answer) = post($path, $body, $token);
    if ($status == 401) {
        login();
        list($status, $answer) = post($path, $body, $token);
    }
    if ($status != 200) {
        die("Failed: $status $answer");
    }
    return json_decode($answer);
}

function send($message)
{
    global $programId;
    $sent = call('/api/TextMessages', array(
        'programId' => $programId,
        'message' => $message,
        'phoneNumber' => '(970) 690-4544, 1.970.690.4545,19706904546',
        'dateSent' => date('Y-m-d H:i:s'),
        'sendSuccessful' => null,
        'sentResult' => null,
    ));
    echo $sent->SendSuccessful ? $sent->SentResult : 'Failed', "\n";
}

login();
send('The first');
$subscriber = call('/api/Subscribers', array('phoneNumber' => '970.690.4545', 'doNotText' => true));
echo $subscriber->DoNotText ? 'Opted out' : 'Opted in', "\n";
send('The second');
