{{- /* A setting's value as text. Numbers come as floats, which would be written as 1e+06. */ -}}
{{- define "sms-hub.setting" -}}
{{- if kindIs "float64" . -}}
{{- int64 . -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{- define "sms-hub.config" -}}
{{- $config := dict -}}
{{- range $name, $value := .Values.config -}}
{{- if not (kindIs "invalid" $value) -}}
{{- $_ := set $config $name (include "sms-hub.setting" $value) -}}
{{- end -}}
{{- end -}}
{{- with $config -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}

{{- define "sms-hub.secretName" -}}
{{- default (include "sms-hub.fullname" .) .Values.secrets.existingSecret -}}
{{- end -}}

{{- /* Takes (root, name of the Secret, secrets that the process needs): it gets no others. */ -}}
{{- define "sms-hub.secretEnv" -}}
{{- $root := index . 0 -}}
{{- $secret := index . 1 -}}
{{- $secrets := $root.Values.secrets -}}
{{- range $each := index . 2 }}
{{- if or $secrets.existingSecret (get $secrets.values $each) }}
- name: SMSHUB_{{ snakecase $each | upper }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret }}
      key: {{ get $secrets.keys $each }}
      {{- if has $each (list "encryptionKeys" "keyPeppers" "oidcClientSecret" "mailUrl") }}
      optional: true
      {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "sms-hub.databaseTls" -}}
{{- if or .Values.database.tls.caSecret .Values.database.tls.caConfigMap -}}true{{- end -}}
{{- end -}}

{{- define "sms-hub.databaseTlsEnv" -}}
{{- if include "sms-hub.databaseTls" . -}}
- name: PGSSLMODE
  value: {{ .Values.database.tls.mode }}
- name: PGSSLROOTCERT
  value: /etc/sms-hub/database/{{ .Values.database.tls.caKey }}
{{- end -}}
{{- end -}}

{{- define "sms-hub.databaseTlsVolume" -}}
{{- with .Values.database.tls -}}
- name: database-ca
  {{- if .caSecret }}
  secret:
    secretName: {{ .caSecret }}
  {{- else }}
  configMap:
    name: {{ .caConfigMap }}
  {{- end }}
{{- end -}}
{{- end -}}
