<?php
/**
 * Plugin Name: SMS Hub
 * Description: sms_hub_send_text('970-690-4544', 'See you at 10:30.')
 * Version: 1.0
 *
 * In wp-config.php, above "stop editing":
 * define('SMSHUB_PROGRAM_SID', '...');
 * define('SMSHUB_PROGRAM_KEY', '...');
 */

defined('ABSPATH') || exit;

const SMS_HUB = 'https://sms-hub.example';

/** The text as the hub has it, or a WP_Error that says why it has not. */
function sms_hub_send_text($to, $message)
{
    $text = ['PhoneNumber' => $to, 'Message' => $message];
    // With the same key it is sent once, however often we call.
    $once = ['Idempotency-Key' => wp_generate_uuid4()];
    return sms_hub_call('/api/TextMessages', $text, $once);
}

/** What has become of a text: see its 'Status' and 'SentResult'. */
function sms_hub_read_text($id)
{
    return sms_hub_call("/api/TextMessages/$id");
}

function sms_hub_call($path, $body = null, $headers = [])
{
    // A second time if the token has expired, or there was no answer.
    for ($attempt = 1; $attempt <= 2; $attempt++) {
        $token = get_transient('sms_hub_token') ?: sms_hub_log_in();
        if (is_wp_error($token)) {
            return $token;
        }
        $headers['Authorization'] = "Bearer $token";
        $answer = sms_hub_request($path, $body, $headers);
        if (!is_wp_error($answer)) {
            return $answer;
        }
        if ($answer->get_error_code() === 'token-refused') {
            delete_transient('sms_hub_token');
        } elseif ($answer->get_error_code() !== 'http_request_failed') {
            return $answer;
        }
    }
    return $answer;
}

function sms_hub_log_in()
{
    $token = sms_hub_request('/api/Login', [
        'ProgramSID' => SMSHUB_PROGRAM_SID,
        'ProgramKey' => SMSHUB_PROGRAM_KEY,
    ]);
    if (!is_wp_error($token)) {
        set_transient('sms_hub_token', $token, HOUR_IN_SECONDS);
    }
    return $token;
}

function sms_hub_request($path, $body, $headers = [])
{
    $answer = wp_remote_request(SMS_HUB . $path, [
        'method' => $body ? 'POST' : 'GET',
        'headers' => ['Content-Type' => 'application/json'] + $headers,
        'body' => $body ? wp_json_encode($body) : null,
        'timeout' => 15,
    ]);
    if (is_wp_error($answer)) {
        return $answer;
    }
    $content = json_decode(wp_remote_retrieve_body($answer), true);
    $status = wp_remote_retrieve_response_code($answer);
    if ($status === 200) {
        return $content;
    }
    $detail = $content['detail'] ?? "The hub answered with $status.";
    return new WP_Error($content['type'] ?? $status, $detail);
}
