{{- define "sms-hub.migrates" -}}
{{- if and .Values.migration.enabled (not .Values.demo.enabled) -}}true{{- end -}}
{{- end -}}

{{- /*
Before an installation nothing of the release is there yet, so the hook brings along what the Job needs. Takes (root,
weight).
*/ -}}
{{- define "sms-hub.migrationHook" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ index . 1 | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}
