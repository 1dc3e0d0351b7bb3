"""How long tests wait for what must come: on a busy machine everything takes many times as long as on a quiet one."""

PATIENCE_S = 120.0
