{{/*
What no cluster could run is refused here, before anything is created; values.schema.json has refused wrong types,
keys and ranges by then.
*/}}
{{- define "xor-sweep.validate" -}}
{{- $fullname := include "xor-sweep.fullname" . }}
{{- if gt (len $fullname) 44 }}
{{- fail (printf "the objects' name '%s' has %d characters; at most 44 leave room for what Kubernetes appends to it: give the release a name of at most 34, or set fullnameOverride" $fullname (len $fullname)) }}
{{- end }}
{{- if not (regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" $fullname) }}
{{- fail (printf "the objects' name '%s' cannot be one, because a-z, 0-9 and '-' are all it may have: give the release another name, or set fullnameOverride" $fullname) }}
{{- end }}
{{- range $name, $value := .Values }}
{{- if not (toYaml $value) }}{{/* It swallows its error, and with it the value. */}}
{{- fail (printf "%s: it holds a character that YAML cannot have, such as U+007F: leave it out" $name) }}
{{- end }}
{{- end }}
{{- $sweep := .Values.sweep }}
{{- if not (regexMatch `^(gs://[a-z0-9][a-z0-9._-]+[a-z0-9]|/output)(/([^\pC\p{Zl}\p{Zp}]*[^\pC\p{Zl}\p{Zp} ])?)?$` $sweep.output) }}
{{- fail (printf "sweep.output: '%s' is no place for results: give gs://bucket/prefix, or /output for a volume claim" $sweep.output) }}
{{- end }}
{{- if and (hasPrefix "/output" $sweep.output) (has ".." (splitList "/" $sweep.output)) }}
{{- fail (printf "sweep.output: '%s' may lead out of the volume claim: give /output, or a folder in it, without '..'" $sweep.output) }}
{{- end }}
{{- if hasPrefix "gs://" $sweep.output }}
{{- $prefix := regexReplaceAll "^gs://[^/]+/?|/+$" $sweep.output "" }}
{{- range $part := splitList "/" $prefix }}
{{- /* As job/storage/base.py's is_name. */ -}}
{{- if and $prefix (or (gt (len $prefix) 700) (gt (len $part) 240) (not (regexMatch `^[^.\\][^\\]*$` $part))) }}
{{- fail (printf "sweep.output: '%s' has a prefix that cannot be: give gs://bucket/prefix, as gs://b/a/b, with no empty part and none that begins with a dot" $sweep.output) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and (hasPrefix "gs://" $sweep.output) .Values.claim.existing }}
{{- fail (printf "claim.existing is '%s', but sweep.output is '%s': give one of them (with a claim, sweep.output=/output)" .Values.claim.existing $sweep.output) }}
{{- end }}
{{- $trials := include "xor-sweep.trialCount" . | int64 }}
{{- if gt $trials 100000 }}
{{- fail (printf "sweep: the grid has %d trials; at most 100000 are possible: give the axes fewer values" $trials) }}
{{- end }}
{{- if gt (mul (int64 $sweep.replicates) (int64 $sweep.epochs)) 250000000 }}
{{- fail (printf "sweep: %d replicates x %d epochs are more than 250000000: give fewer of one" (int64 $sweep.replicates) (int64 $sweep.epochs)) }}
{{- end }}
{{- if .Values.gpu.enabled }}
{{- if not (include "xor-sweep.isExtended" .Values.gpu.resourceName) }}
{{- fail (printf "gpu.enabled is true, but gpu.resourceName '%s' is no resource: give its name, such as nvidia.com/gpu" .Values.gpu.resourceName) }}
{{- end }}
{{- if lt (int64 .Values.gpu.count) 1 }}
{{- fail (printf "gpu.enabled is true, but gpu.count is %d: give a whole number from 1" (int64 .Values.gpu.count)) }}
{{- end }}
{{- if eq $sweep.device "cpu" }}
{{- fail "gpu.enabled is true, but sweep.device is cpu: each pod would take a GPU and leave it idle; leave sweep.device out" }}
{{- end }}
{{- /* A runtime class may show a pod the node's GPUs without a request for one. */ -}}
{{- else if and (eq $sweep.device "gpu") (not .Values.runtimeClassName) }}
{{- fail "sweep.device is gpu, but gpu.enabled is false: no pod would get a GPU, and each would fail; set gpu.enabled=true instead" }}
{{- end }}
{{- range .Values.extraEnv }}
{{- if eq .name "JOB_COMPLETION_INDEX" }}
{{- fail "extraEnv: JOB_COMPLETION_INDEX is how a pod finds its trial: with it, all pods would train the same one; give the variable another name" }}
{{- end }}
{{- if and (hasPrefix "XOR_SWEEP_" .name) (not (has .name (list "XOR_SWEEP_LOG_FORMAT" "XOR_SWEEP_DEBUG"))) }}
{{- fail (printf "extraEnv: %s would go before the sweep file: set sweep.%s instead" .name (.name | trimPrefix "XOR_SWEEP_" | lower)) }}
{{- end }}
{{- end }}
{{- if and (include "xor-sweep.watches" .) .Values.rbac.create (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) }}
{{- fail "serviceAccount.create is false: name the account that watches the Job in serviceAccount.name, or the role would go to all pods of the namespace" }}
{{- end }}
{{- include "xor-sweep.validateObjects" . }}
{{- with .Values.retrain.schedule }}
{{- include "xor-sweep.validateSchedule" . }}
{{- end }}
{{- with .Values.retrain.timeZone }}
{{- include "xor-sweep.validateTimeZone" . }}
{{- end }}
{{- end }}

{{/*
A schedule that the CronJob controller would refuse, after all else is created, is refused here: five fields, as
https://pkg.go.dev/github.com/robfig/cron/v3 reads them, or a word for them.
*/}}
{{- define "xor-sweep.validateSchedule" -}}
{{- $example := "such as '0 3 * * 0' (Sundays at 3:00), or a word such as @daily" }}
{{- $fields := splitList " " (regexReplaceAll "\\s+" (trim .) " ") }}
{{- if hasPrefix "@" (trim .) }}
{{- if not (regexMatch "^@(yearly|annually|monthly|weekly|daily|midnight|hourly|every ([0-9]+(\\.[0-9]+)?[hms])+)$" .) }}
{{- fail (printf "retrain.schedule: '%s' is no word for a schedule: give @hourly, @daily, @weekly, @monthly, @yearly or @every 12h" .) }}
{{- end }}
{{- if regexMatch "^@every [0.hms]+$" . }}
{{- fail (printf "retrain.schedule: '%s' would start one at every second: give a time above 0, such as @every 12h" .) }}
{{- end }}
{{- $seconds := 0.0 }}
{{- range regexFindAll "[0-9.]+[hms]" (trimPrefix "@every " .) -1 }}
{{- $seconds = addf $seconds (mulf (regexFind "[0-9.]+" . | float64) (get (dict "h" 3600 "m" 60 "s" 1) (regexFind "[hms]" .))) }}
{{- end }}
{{- if gt $seconds 9e9 }}
{{- fail (printf "retrain.schedule: '%s' is more than Kubernetes can count: give at most @every 2500000h, or leave the schedule empty for never" .) }}
{{- end }}
{{- else if ne (len $fields) 5 }}
{{- fail (printf "retrain.schedule: '%s' is no cron expression: give minute, hour, day of the month, month and day of the week, %s" . $example) }}
{{- else }}
{{- $months := dict "jan" 1 "feb" 2 "mar" 3 "apr" 4 "may" 5 "jun" 6 "jul" 7 "aug" 8 "sep" 9 "oct" 10 "nov" 11 "dec" 12 }}
{{- $days := dict "sun" 0 "mon" 1 "tue" 2 "wed" 3 "thu" 4 "fri" 5 "sat" 6 }}
{{- $whole := . }}
{{- range $position, $rule := list (list "minute" 0 59 dict) (list "hour" 0 23 dict) (list "day of the month" 1 31 dict) (list "month" 1 12 $months) (list "day of the week" 0 6 $days) }}
{{- $name := index $rule 0 }}
{{- $field := index $fields $position }}
{{- range $part := splitList "," $field }}
{{- if not (regexMatch "^([*?]|[0-9A-Za-z]+(-[0-9A-Za-z]+)?)(/0*[1-9][0-9]{0,8})?$" $part) }}
{{- fail (printf "retrain.schedule: the %s '%s' of '%s' is not one: give numbers, ranges and steps, %s" $name $field $whole $example) }}
{{- end }}
{{- $ends := list }}
{{- range $end := splitList "-" (index (splitList "/" $part) 0) }}
{{- if not (has $end (list "*" "?")) }}
{{- $number := get (index $rule 3) (lower $end) | toString | default $end }}
{{- if not (regexMatch "^[0-9]{1,9}$" $number) }}
{{- fail (printf "retrain.schedule: the %s '%s' of '%s' is not one: give numbers from %d to %d, %s" $name $end $whole (index $rule 1) (index $rule 2) $example) }}
{{- end }}
{{- $number = regexReplaceAll "^0+([0-9])" $number "${1}" | int }}
{{- if or (lt $number (index $rule 1)) (gt $number (index $rule 2)) }}
{{- $hint := ternary " (Sunday is 0)" "" (eq $position 4) }}
{{- fail (printf "retrain.schedule: the %s %d of '%s' is out of range: give %d to %d%s" $name $number $whole (index $rule 1) (index $rule 2) $hint) }}
{{- end }}
{{- $ends = append $ends $number }}
{{- end }}
{{- end }}
{{- if gt (first (append $ends 0)) (last (prepend $ends 0)) }}
{{- fail (printf "retrain.schedule: the %s '%s' of '%s' goes backwards" $name $part $whole) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Helm takes a zone that it does not know for UTC: so one is told that is not there, if Helm knows any zones at all.
*/}}
{{- define "xor-sweep.validateTimeZone" -}}
{{- $zone := . }}
{{- $utc := list "UTC" "UCT" "Universal" "Zulu" "Etc/UTC" "Etc/UCT" "Etc/Universal" "Etc/Zulu" }}
{{- $winter := toDate "2006-01-02" "2026-01-15" }}
{{- $known := ne (dateInZone "MST" $winter "America/New_York") "UTC" }}
{{- if or (eq (lower $zone) "local") (and $known (eq (dateInZone "MST" $winter $zone) "UTC") (not (has $zone $utc))) }}
{{- fail (printf "retrain.timeZone: there is no time zone '%s': give its name in the tz database, such as Europe/Berlin, or leave it empty for the cluster's" $zone) }}
{{- end }}
{{- end }}
