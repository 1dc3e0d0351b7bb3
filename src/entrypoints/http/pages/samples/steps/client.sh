curl --silent --show-error --fail \
  --output sms-hub.json https://sms-hub.example/openapi.json
openapi-generator-cli generate --generator-name python \
  --input-spec sms-hub.json --output sms-hub-client \
  --openapi-normalizer SECURITY_SCHEMES_FILTER=key:bearerToken
