{{/*
Makes null mean the default: Helm drops a key that is null, and this puts its default back into .Values. Every template
file begins with it, because Helm does not guarantee the order in which it renders them.

Templates cannot read values.yaml, so `make chart` copies its defaults to defaults.json, each under its path. Inside a
value that goes into a pod as it is, null removes a key, as in `podSecurityContext.runAsUser: null`.
*/}}
{{- define "xor-sweep.defaults" -}}
{{- range $path, $default := .Files.Get "defaults.json" | fromJson }}
{{- $keys := splitList "." $path }}
{{- $parent := $.Values }}
{{- range initial $keys }}
{{- if not (kindIs "map" (index $parent .)) }}
{{- $_ := set $parent . dict }}
{{- end }}
{{- $parent = index $parent . }}
{{- end }}
{{- $value := index $parent (last $keys) }}
{{- if kindIs "invalid" $value }}
{{- $value = $default }}
{{- else if kindIs "map" $value }}
{{- $value = include "xor-sweep.withoutNulls" $value | fromJson }}
{{- end }}
{{- $_ := set $parent (last $keys) $value }}
{{- end }}
{{- end }}

{{/* A map without the keys that are null: Helm 4 keeps those when an upgrade reuses values. */}}
{{- define "xor-sweep.withoutNulls" -}}
{{- $kept := dict }}
{{- range $key, $value := . }}
{{- if kindIs "map" $value }}
{{- $_ := set $kept $key (include "xor-sweep.withoutNulls" $value | fromJson) }}
{{- else if not (kindIs "invalid" $value) }}
{{- $_ := set $kept $key $value }}
{{- end }}
{{- end }}
{{- toJson $kept }}
{{- end }}
