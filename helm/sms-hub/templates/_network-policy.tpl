{{- /* Takes (root, component). */ -}}
{{- define "sms-hub.networkPolicy.metadata" -}}
{{- $root := index . 0 -}}
metadata:
  name: {{ include "sms-hub.fullname" $root }}-{{ index . 1 }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "sms-hub.labels" . | nindent 4 }}
{{- end -}}

{{- define "sms-hub.networkPolicy.pods" -}}
podSelector:
  matchLabels:
    {{- include "sms-hub.selector" . | nindent 4 }}
{{- end -}}

{{- /* A rule for some ports. Takes (direction: from or to, peers, "port/protocol"…); no peers: anyone. */ -}}
{{- define "sms-hub.networkPolicy.rule" -}}
- ports:
    {{- range slice . 2 }}
    {{- $parts := splitList "/" . }}
    - port: {{ index $parts 0 }}
      protocol: {{ index $parts 1 }}
    {{- end }}
  {{- with index . 1 }}
  {{ index $ 0 }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "sms-hub.networkPolicy.dns" -}}
{{- include "sms-hub.networkPolicy.rule" (list "to" .Values.networkPolicy.dns "53/UDP" "53/TCP") -}}
{{- end -}}

{{- define "sms-hub.networkPolicy.database" -}}
{{- include "sms-hub.networkPolicy.rule" (list "to" .Values.networkPolicy.database (printf "%v/TCP" .Values.database.port)) -}}
{{- end -}}

{{- define "sms-hub.networkPolicy.monitoring" -}}
{{- include "sms-hub.networkPolicy.rule" (list "from" .Values.networkPolicy.monitoring "9090/TCP") -}}
{{- end -}}

{{- /* The clients that are named, and the release's own test. */ -}}
{{- define "sms-hub.networkPolicy.clients" -}}
{{- $clients := .Values.networkPolicy.clients -}}
{{- if and $clients (include "sms-hub.testSecret" .) -}}
{{- $test := include "sms-hub.networkPolicy.pods" (list . "test") | fromYaml -}}
{{- $clients = append $clients $test -}}
{{- end -}}
{{- include "sms-hub.networkPolicy.rule" (list "from" $clients "8080/TCP") -}}
{{- end -}}
