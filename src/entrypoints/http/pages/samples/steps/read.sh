curl --silent --show-error --fail-with-body \
  "https://sms-hub.example/api/TextMessages/$ID" \
  --header "Authorization: Bearer $TOKEN"
