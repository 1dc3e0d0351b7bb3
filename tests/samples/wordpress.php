<?php
// What a theme does with the plugin: php wordpress.php PLUGIN NUMBER MESSAGE [MESSAGE...], one text after the other.
//
// WordPress's own functions call the hub. There is no database: options are those below, transients lie in its cache.

define('ABSPATH', getenv('WORDPRESS') . '/');
define('WPINC', 'wp-includes');
define('WP_DEBUG', true);
define('SMSHUB_PROGRAM_SID', getenv('SMSHUB_PROGRAM_SID'));
define('SMSHUB_PROGRAM_KEY', getenv('SMSHUB_PROGRAM_KEY'));

$parts = [
    'version', 'load', 'default-constants', 'plugin', 'formatting', 'functions', 'class-wp-error', 'l10n', 'cache',
    'option', 'general-template', 'link-template', 'http', 'class-wp-http', 'class-wp-http-streams',
    'class-wp-http-curl', 'class-wp-http-proxy', 'class-wp-http-cookie', 'class-wp-http-encoding',
    'class-wp-http-response', 'class-wp-http-requests-response', 'class-wp-http-requests-hooks',
];
foreach ($parts as $part) {
    require_once ABSPATH . WPINC . "/$part.php";
}
wp_initial_constants();
wp_cache_init();
wp_using_ext_object_cache(true);
wp_cache_set('alloptions', ['home' => 'http://localhost', 'siteurl' => 'http://localhost'], 'options');

[, $plugin, $number] = $argv;
require $plugin;

foreach (array_slice($argv, 3) as $message) {
    $sent = sms_hub_send_text($number, $message);
    if (is_wp_error($sent)) {
        fwrite(STDERR, "{$sent->get_error_code()}: {$sent->get_error_message()}\n");
        exit(1);
    }
    echo "$sent[Id] is $sent[Status].\n";
    echo sms_hub_read_text($sent['Id'])['SentResult'], "\n";
}
