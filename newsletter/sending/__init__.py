"""The ledger and all that moves it: schedule, plan, deliver, sweep, receipt."""
