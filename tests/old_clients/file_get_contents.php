<?php
// php file_get_contents.php HUB PROGRAM_ID PROGRAM_SID PROGRAM_KEY

list(, $hub, $programId, $programSid, $programKey) = $argv;

function post($path, $type, $content, $token = '')
{
    global $hub, $status;
    $context = stream_context_create(array('http' => array(
        'method' => 'POST',
        'header' => "Content-type: $type\r\nAuthorization: $token\r\n",
        'content' => $content,
        'timeout' => 5,
        'ignore_errors' => true,
    )));
    $answer = file_get_contents($hub . $path, false, $context);
    list(, $status) = explode(' ', $http_response_header[0]);
    return $answer;
}

function login()
{
    global $programSid, $programKey, $status, $token;
    $form = http_build_query(array('programSID' => $programSid, 'ProgramKey' => $programKey));
    $answer = post('/api/Login', 'application/x-www-form-urlencoded', $form);
    if ($status != '200') {
        die('No login');
    }
    $token = str_replace('"', '', $answer);
}

function call($path, $body)
{
    global $status, $token;
    $answer = post($path, 'application/json', json_encode($body), $token);
    if ($status == '401') {
        login();
        $answer = post($path, 'application/json', json_encode($body), $token);
    }
    if ($status != '200') {
        die("Failed: $status $answer");
    }
    return json_decode($answer, true);
}

function send($message)
{
    $sent = call('/api/TextMessages', array(
        'Message' => $message,
        'PhoneNumber' => '(970) 690-4544, 1.970.690.4545,19706904546',
    ));
    echo $sent['SendSuccessful'] ? $sent['SentResult'] : 'Failed', "\n";
}

login();
send('The first');
$subscriber = call('/api/Subscribers', array('PhoneNumber' => '970.690.4545', 'DoNotText' => true));
echo $subscriber['DoNotText'] ? 'Opted out' : 'Opted in', "\n";
send('The second');
