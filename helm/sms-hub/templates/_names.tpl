{{- define "sms-hub.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- /* Short enough for the longest of the endings that names of objects get: 63 characters are a label's limit. */ -}}
{{- define "sms-hub.fullname" -}}
{{- $name := include "sms-hub.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 44 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 44 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 44 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* Takes (root, component); the component is "" for what belongs to all. */ -}}
{{- define "sms-hub.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "sms-hub.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
{{- with index . 1 }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{- /* Takes (root, component). */ -}}
{{- define "sms-hub.labels" -}}
{{- $root := index . 0 -}}
{{- with $root.Values.commonLabels -}}
{{ toYaml . }}
{{ end -}}
{{ include "sms-hub.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 }}
{{- end -}}

{{- define "sms-hub.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "sms-hub.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "sms-hub.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- /* What serves the interface. */ -}}
{{- define "sms-hub.front" -}}
{{- ternary "demo" "api" .Values.demo.enabled -}}
{{- end -}}
