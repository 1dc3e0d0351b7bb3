{{- /* Takes (root, component, whether it serves the interface, secrets that it needs). */ -}}
{{- define "sms-hub.deployment" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $public := index . 2 -}}
{{- $values := get $root.Values $component -}}
{{- $args := list $component "--host" $root.Values.listenAddress -}}
{{- $ports := dict "internal" 9090 -}}
{{- if $public -}}
{{- $args = concat $args (list "--port" "8080") -}}
{{- $_ := set $ports "http" 8080 -}}
{{- end -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "sms-hub.fullname" $root }}-{{ $component }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "sms-hub.labels" (list $root $component) | nindent 4 }}
spec:
  {{- if not $values.autoscaling.enabled }}
  replicas: {{ $values.replicas }}
  {{- end }}
  minReadySeconds: {{ $values.minReadySeconds }}
  revisionHistoryLimit: {{ $values.revisionHistoryLimit }}
  strategy:
    {{- toYaml $values.strategy | nindent 4 }}
  selector:
    matchLabels:
      {{- include "sms-hub.selector" (list $root $component) | nindent 6 }}
  template:
    metadata:
      {{- include "sms-hub.podMetadata" (list $root $component $values) | nindent 6 }}
    spec:
      {{- include "sms-hub.podSpec" (dict
        "root" $root
        "component" $component
        "values" $values
        "args" (concat $args (list "--internal-port" "9090"))
        "env" (include "sms-hub.secretEnv" (list $root (include "sms-hub.secretName" $root) (index . 3)))
        "config" true
        "database" true
        "ports" $ports
        "probes" $values.probes
        "preStopSeconds" $values.preStopSeconds
        "terminationSeconds" (include "sms-hub.terminationSeconds" (list $root $component))
      ) | nindent 6 }}
{{- end -}}

{{- /* Takes (root, component). */ -}}
{{- define "sms-hub.podDisruptionBudget" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := get $root.Values $component -}}
{{- $replicas := ternary $values.autoscaling.minReplicas $values.replicas $values.autoscaling.enabled | int -}}
{{- if and $values.pdb.enabled (gt $replicas 1) (not $root.Values.demo.enabled) -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "sms-hub.fullname" $root }}-{{ $component }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "sms-hub.labels" (list $root $component) | nindent 4 }}
spec:
  {{- if not (kindIs "invalid" $values.pdb.minAvailable) }}
  minAvailable: {{ $values.pdb.minAvailable }}
  {{- else }}
  maxUnavailable: {{ $values.pdb.maxUnavailable }}
  {{- end }}
  # Pods that are not ready hold no node up.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "sms-hub.selector" (list $root $component) | nindent 6 }}
{{- end -}}
{{- end -}}
