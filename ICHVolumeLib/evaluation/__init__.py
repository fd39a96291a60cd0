"""How good a model is: metrics, rows of cases, figures, failures, the model card."""
