curl --silent --show-error --fail-with-body \
  https://sms-hub.example/api/TextMessages \
  --header "Authorization: Bearer $TOKEN" \
  --header 'Content-Type: application/json' \
  --header 'Idempotency-Key: appointment-4711' \
  --data '{
    "Message": "Your appointment is tomorrow at 10:30.",
    "PhoneNumber": "(970) 690-4544"
  }'
