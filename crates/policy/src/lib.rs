//! scorecard, jurisdictions, verdicts and their explanation
