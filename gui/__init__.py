"""The operator's window: reads frozen views, calls the desk's commands, knows neither broker nor journal."""
