<?php
// What an office does with the client that is generated for PHP.

use SmsHub\Api\AccessApi;
use SmsHub\Api\SubscribersApi;
use SmsHub\Api\TextMessagesApi;
use SmsHub\ApiException;
use SmsHub\Configuration;
use SmsHub\Model\Credentials;
use SmsHub\Model\NewPreview;
use SmsHub\Model\NewSubscriber;
use SmsHub\Model\NewTextMessage;
use SmsHub\Model\Priority;

[, $client, $url, $programSid, $programKey] = $argv;

// Debian's packages, where others have Composer's autoloader for both.
require_once 'GuzzleHttp/autoload.php';
spl_autoload_register(function (string $class) use ($client): void {
    require_once $client . '/lib/' . strtr(substr($class, strlen('SmsHub\\')), '\\', '/') . '.php';
});

function problemOf(callable $call): \SmsHub\Model\Problem
{
    try {
        $call();
    } catch (ApiException $error) {
        return $error->getResponseObject();
    }
    throw new LogicException('The call was to be refused.');
}

$http = new GuzzleHttp\Client();
$configuration = (new Configuration())->setHost($url);

$answer = (new AccessApi($http, $configuration))->logIn(
    new Credentials(['programSID' => $programSid, 'programKey' => $programKey])
);
// This client leaves the quotes of a JSON string where they are.
$token = trim($answer, '"');
$configuration->setAccessToken($token);
$texts = new TextMessagesApi($http, $configuration);

$new = new NewTextMessage([
    'message' => 'Your appointment is at 10:30.',
    'phoneNumber' => '(970) 690-4544, 970.690.4545',
    'priority' => Priority::URGENT,
    'expiresAt' => new DateTime('2030-01-01T10:30:00-07:00'),
]);
$sent = $texts->sendTextMessage($new, 'appointment-1', 'wait=30');
$again = $texts->sendTextMessage($new, 'appointment-1', 'wait=30');
$text = $texts->getTextMessage($sent->getId());
$deliveries = $texts->listDeliveries($sent->getId(), limit: 10);
$listed = $texts->listTextMessages(status: $text->getStatus());
$preview = $texts->previewTextMessage(new NewPreview(['message' => "Don't forget…", 'phoneNumber' => '970-690-4544']));
$subscriber = (new SubscribersApi($http, $configuration))->setSubscriber(
    (new NewSubscriber())->setPhoneNumber('970-690-4546')->setDoNotText(true)
);
$refused = problemOf(fn () => $texts->sendTextMessage(
    new NewTextMessage(['message' => 'Hello', 'phoneNumber' => '970-690-4544, 12'])
));
$stale = problemOf(fn () => (new TextMessagesApi(
    $http,
    (new Configuration())->setHost($url)->setAccessToken('stale')
))->listTextMessages());

echo json_encode([
    'Token' => $token,
    'Id' => $sent->getId(),
    'AgainId' => $again->getId(),
    'Status' => $text->getStatus(),
    'Priority' => $text->getPriority(),
    'DateSent' => $text->getDateSent()->format(DateTime::RFC3339_EXTENDED),
    'ExpiresAt' => $text->getExpiresAt()->format(DateTime::RFC3339_EXTENDED),
    'SendAt' => $text->getSendAt(),
    'Counts' => $text->getCounts(),
    'Numbers' => array_map(fn ($each) => $each->getPhoneNumber(), $deliveries->getItems()),
    'Listed' => array_map(fn ($each) => $each->getId(), $listed->getItems()),
    'NextCursor' => $listed->getNextCursor(),
    'Encoding' => $preview->getEncoding(),
    'Obstacle' => $preview->getObstacles()[0]->getCharacter(),
    'Recipients' => $preview->getAudience()->getRecipients(),
    'Cost' => $preview->getAudience()->getEstimatedCost(),
    'OptedOut' => [$subscriber->getPhoneNumber(), $subscriber->getDoNotText()],
    'Refused' => [
        $refused->getStatus(), $refused->getType(), $refused->getDetail(), $refused->getErrors()[0]->getPosition(),
    ],
    'Stale' => [$stale->getStatus(), $stale->getType()],
], JSON_THROW_ON_ERROR);
