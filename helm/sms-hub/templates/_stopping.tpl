{{- /* SMSHUB_STOP_GRACE in seconds. */ -}}
{{- define "sms-hub.stopGraceSeconds" -}}
{{- $grace := default "PT20S" .Values.config.SMSHUB_STOP_GRACE -}}
{{- $hours := regexFind "[0-9]+H" $grace | trimSuffix "H" | int -}}
{{- $minutes := regexFind "[0-9]+M" $grace | trimSuffix "M" | int -}}
{{- $seconds := regexFind "[0-9]+S" $grace | trimSuffix "S" | int -}}
{{- add (mul 3600 $hours) (mul 60 $minutes) $seconds -}}
{{- end -}}

{{- /*
Takes (root, component). After the calls under way a process ends its enquiries (5 s) and writes the last outcomes down,
for which a database that hangs is given 8 s.
*/ -}}
{{- define "sms-hub.terminationSeconds" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := get $root.Values $component -}}
{{- $grace := include "sms-hub.stopGraceSeconds" $root | int -}}
{{- $before := default 0 $values.preStopSeconds | int -}}
{{- $needed := add $before $grace 15 | int -}}
{{- $given := $values.terminationGracePeriodSeconds -}}
{{- if kindIs "invalid" $given -}}
{{- $needed -}}
{{- else if lt (int $given) $needed -}}
{{- fail (printf "%s.terminationGracePeriodSeconds is %d, and a stop takes up to %d s: preStopSeconds %d, config.SMSHUB_STOP_GRACE %d, and 15 to write down what came of it. Leave it null, or shorten SMSHUB_STOP_GRACE." $component (int $given) $needed $before $grace) -}}
{{- else -}}
{{- int $given -}}
{{- end -}}
{{- end -}}
