"""The labels by which the objects of a release are found."""

NAME_LABEL, RELEASE_LABEL = "app.kubernetes.io/name", "app.kubernetes.io/instance"
JOB_LABEL, INDEX_LABEL = "batch.kubernetes.io/job-name", "batch.kubernetes.io/job-completion-index"
