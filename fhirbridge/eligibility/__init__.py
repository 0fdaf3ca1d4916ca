"""Patient facts + criteria -> judgement, reasons and rank."""
