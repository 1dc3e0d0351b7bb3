curl --silent --show-error --fail-with-body \
  https://sms-hub.example/api/Subscribers \
  --header "Authorization: Bearer $TOKEN" \
  --header 'Content-Type: application/json' \
  --data '{"PhoneNumber": "(970) 690-4544", "DoNotText": true}'
