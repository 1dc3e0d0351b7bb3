{{- /*
The spec of a Pod with one container. Takes a map:
  root, component, values (of the component),
  args or command, env (YAML text), config (whether it has all settings), database (whether it may be PostgreSQL),
  ports, probes, preStopSeconds, terminationSeconds, restartPolicy, serviceAccountName,
  initContainers, mounts and volumes (YAML text).
*/ -}}
{{- define "sms-hub.podSpec" -}}
{{- $root := .root -}}
{{- $values := .values -}}
{{- $tls := and .database (include "sms-hub.databaseTls" $root) -}}
serviceAccountName: {{ default (include "sms-hub.serviceAccountName" $root) .serviceAccountName }}
automountServiceAccountToken: false
# Names that Kubernetes would make of Services may look like settings.
enableServiceLinks: false
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .restartPolicy }}
restartPolicy: {{ . }}
{{- end }}
{{- with .terminationSeconds }}
terminationGracePeriodSeconds: {{ . }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext:
  {{- toYaml $root.Values.podSecurityContext | nindent 2 }}
{{- with .initContainers }}
initContainers:
  {{- . | nindent 2 }}
{{- end }}
containers:
  - name: {{ .component }}
    {{- include "sms-hub.container" $root | nindent 4 }}
    {{- with .command }}
    command: {{ toJson . }}
    {{- end }}
    {{- with .args }}
    args: {{ toJson . }}
    {{- end }}
    {{- $env := list .env }}
    {{- if $tls }}{{ $env = append $env (include "sms-hub.databaseTlsEnv" $root) }}{{ end }}
    {{- with $values.extraEnv }}{{ $env = append $env (tpl (toYaml .) $root) }}{{ end }}
    {{- with compact $env }}
    env:
      {{- range . }}
      {{- . | trim | nindent 6 }}
      {{- end }}
    {{- end }}
    {{- if or .config $values.extraEnvFrom }}
    envFrom:
      {{- if .config }}
      - configMapRef:
          name: {{ include "sms-hub.fullname" $root }}
      {{- end }}
      {{- with $values.extraEnvFrom }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- end }}
    {{- with .ports }}
    ports:
      {{- range $name, $port := . }}
      - name: {{ $name }}
        containerPort: {{ $port }}
        protocol: TCP
      {{- end }}
    {{- end }}
    {{- with .probes }}
    startupProbe:
      httpGet: {path: /livez, port: internal}
      {{- toYaml .startup | nindent 6 }}
    livenessProbe:
      httpGet: {path: /livez, port: internal}
      {{- toYaml .liveness | nindent 6 }}
    readinessProbe:
      httpGet: {path: /readyz, port: internal}
      {{- toYaml .readiness | nindent 6 }}
    {{- end }}
    {{- with .preStopSeconds }}
    lifecycle:
      preStop:
        # The action `sleep` would need Kubernetes 1.30.
        exec:
          command: [sleep, {{ . | toString | quote }}]
    {{- end }}
    {{- with $values.resources }}
    resources:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    volumeMounts:
      {{- include "sms-hub.mounts" . | nindent 6 }}
volumes:
  - name: tmp
    emptyDir:
      sizeLimit: 64Mi
  {{- if $tls }}
  {{- include "sms-hub.databaseTlsVolume" $root | nindent 2 }}
  {{- end }}
  {{- with .volumes }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with $values.extraVolumes }}
  {{- tpl (toYaml .) $root | nindent 2 }}
  {{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- tpl (toYaml .) $root | nindent 2 }}
{{- end }}
{{- with $values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- $selector := dict "matchLabels" (include "sms-hub.selector" (list $root $.component) | fromYaml) }}
  {{- range . }}
  - {{ toYaml (merge (dict) . (dict "labelSelector" $selector)) | nindent 4 | trim }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "sms-hub.container" -}}
image: {{ include "sms-hub.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
{{- end -}}

{{- define "sms-hub.mounts" -}}
- name: tmp
  mountPath: /tmp
{{- if and .database (include "sms-hub.databaseTls" .root) }}
- name: database-ca
  mountPath: /etc/sms-hub/database
  readOnly: true
{{- end }}
{{- with .mounts }}
{{ . }}
{{- end }}
{{- with .values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /*
Labels and annotations of a Pod; no version of the chart among them, so that Pods are replaced only where something of
theirs has changed. Takes (root, component, its values).
*/ -}}
{{- define "sms-hub.podMetadata" -}}
{{- $root := index . 0 -}}
{{- $values := index . 2 -}}
labels:
  {{- with $root.Values.commonLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- include "sms-hub.selector" (list $root (index . 1)) | nindent 2 }}
  {{- with $values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  checksum/config: {{ include "sms-hub.config" $root | sha256sum }}
  checksum/secrets: {{ toJson $root.Values.secrets | sha256sum }}
  {{- with $values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
