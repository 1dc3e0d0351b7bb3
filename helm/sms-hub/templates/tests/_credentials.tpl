{{- /* The Secret that the test has its program from; empty: there is no test. */ -}}
{{- define "sms-hub.testSecret" -}}
{{- if .Values.test.existingSecret -}}
{{- .Values.test.existingSecret -}}
{{- else if .Values.demo.enabled -}}
{{- include "sms-hub.fullname" . }}-demo
{{- end -}}
{{- end -}}

{{- define "sms-hub.testEnv" -}}
{{- $own := not .Values.test.existingSecret -}}
{{- $prefix := urlParse (default "" .Values.config.SMSHUB_PUBLIC_URL) -}}
- name: HUB_URL
  value: http://{{ include "sms-hub.fullname" . }}-api:{{ .Values.api.service.port }}{{ $prefix.path | trimSuffix "/" }}
- name: PROGRAM_SID
  valueFrom:
    secretKeyRef:
      name: {{ include "sms-hub.testSecret" . }}
      key: {{ ternary "program-sid" .Values.test.keys.programSid $own }}
- name: PROGRAM_KEY
  valueFrom:
    secretKeyRef:
      name: {{ include "sms-hub.testSecret" . }}
      key: {{ ternary "program-key" .Values.test.keys.programKey $own }}
{{- end -}}
