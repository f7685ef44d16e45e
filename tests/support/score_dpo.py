"""Score-DPO in NumPy, written from the formula: the loss of a batch, and its gradient by the log-probabilities."""

import numpy as np


def margins(chosen, rejected, ref_chosen, ref_rejected, score_chosen, score_rejected):
    arrays = map(np.asarray, (chosen, rejected, ref_chosen, ref_rejected, score_chosen, score_rejected))
    w, l, ref_w, ref_l, s_w, s_l = (array.astype(np.float64) for array in arrays)  # noqa: E741 - the formula's letter
    return s_w * (w - ref_w) - (1 - s_l) * (l - ref_l)


def loss(*given, beta):
    """Returns the mean of -log sigmoid(beta * margin) over the pairs."""
    return float(np.logaddexp(0, -beta * margins(*given)).mean())


def gradient(*given, beta):
    """Returns the loss's gradients by the log-probabilities of the chosen and of the rejected."""
    margin, (s_w, s_l) = margins(*given), map(np.asarray, given[-2:])
    slope = -beta / (1 + np.exp(beta * margin)) / len(margin)
    return slope * s_w, -slope * (1 - s_l)
