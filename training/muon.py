"""Muon: momentum whose matrices are made orthogonal before they are applied.

Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks", with the scale of Liu et al. 2025, "Muon is Scalable for
LLM Training": updates as large as those of AdamW, so that both take the same learning rate.
"""

import torch


def orthogonal(x, steps=5):
    """Nearly the orthogonal matrices nearest to `x` [..., m, n], m <= n, by Newton-Schulz iterations (singular values 0.7 to 1.2)."""
    x = (x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)).bfloat16()
    for _ in range(steps):
        square = x @ x.mT
        square = torch.baddbmm(square, square, square, beta=-4.7750, alpha=2.0315)
        x = torch.baddbmm(x, square, x, beta=3.4445)
    return x.float()


class Muon(torch.optim.Optimizer):
    """For matrices only. `parts` of a parameter (queries, keys and values under each other) count as matrices of their own."""

    def __init__(self, groups, lr, momentum=0.95, weight_decay=0.01):
        super().__init__(groups, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "parts": 1})

    @torch.no_grad()
    def step(self):
        alike = {}
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                mean = state.setdefault("mean", torch.zeros_like(p))
                mean.lerp_(p.grad, 1 - group["momentum"])
                ahead = p.grad.lerp(mean, group["momentum"])
                for data, update in zip(p.chunk(group["parts"]), ahead.chunk(group["parts"])):
                    tall = data.shape[0] > data.shape[1]
                    key = (min(data.shape), max(data.shape), group["lr"], group["weight_decay"])
                    alike.setdefault(key, []).append((data.mT, update.mT) if tall else (data, update))
        for (_, wide, rate, decay), pairs in alike.items():
            for (data, _), update in zip(pairs, orthogonal(torch.stack([u for _, u in pairs]))):
                data.mul_(1 - rate * decay).add_(update, alpha=-rate * 0.2 * wide**0.5)
