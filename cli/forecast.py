"""Placeholder until the forecast is merged."""
def show_forecast(named, *, horizon, as_json, out):
    raise NotImplementedError
