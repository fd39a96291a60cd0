"""From a trained network to released weights: threshold, classifier of components, interval."""
