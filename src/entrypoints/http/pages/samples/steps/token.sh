TOKEN=$(curl --silent --show-error --fail-with-body \
  https://sms-hub.example/api/Login \
  --header 'Content-Type: application/json' \
  --data @- <<END | tr -d '"'
{"ProgramSID": "$SMSHUB_PROGRAM_SID", "ProgramKey": "$SMSHUB_PROGRAM_KEY"}
END
)
