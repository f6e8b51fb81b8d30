"""The words everything else is built from: domain, records, protocols, settings, errors, prices. No I/O."""
