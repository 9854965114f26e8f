"""Shared by all tests: no judgement by wall clock. Machines are slow and shared; how fast is the benchmarks' matter."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("greenlight", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("greenlight")
