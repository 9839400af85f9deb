"""The tuned CartPole as one writes it on one page, with the same network and settings: Tenfold's is measured by it.

``python -m tests.core.algorithms.dqn.plain`` runs both, one after the other, and prints the processor time of each. It
is no test: times are not asserted.
"""

import random
import time

import gymnasium
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

STEPS, START, EVERY, GRADIENT_STEPS, BATCH, COPY = 50_000, 1000, 256, 128, 64, 10


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 2))


def plain(seed: int = 0, steps: int = STEPS) -> float:
    """Train; mean return of 20 greedy episodes."""
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)
    env = gymnasium.make("CartPole-v1", disable_env_checker=True)
    online, target = network(), network()
    target.load_state_dict(online.state_dict())
    optimizer = torch.optim.Adam(online.parameters(), lr=2.3e-3, fused=True)
    S, S2 = np.zeros((100_000, 4), np.float32), np.zeros((100_000, 4), np.float32)
    A, R, D = np.zeros(100_000, np.int64), np.zeros(100_000, np.float32), np.zeros(100_000, np.float32)
    s, _ = env.reset(seed=seed)
    for t in range(steps):
        epsilon = max(0.04, 1 - 0.96 * t / 8000)
        if t < START or random.random() < epsilon:
            a = random.randrange(2)
        else:
            with torch.no_grad():
                a = int(online(torch.from_numpy(s)[None]).argmax())
        s2, r, terminated, truncated, _ = env.step(a)
        S[t], A[t], R[t], S2[t], D[t] = s, a, r, s2, terminated
        s = s2
        if terminated or truncated:
            s, _ = env.reset()
        if (t + 1) % COPY == 0:
            target.load_state_dict(online.state_dict())
        if t + 1 > START and (t + 1) % EVERY == 0:
            for _ in range(GRADIENT_STEPS):
                i = np.random.randint(0, t + 1, BATCH)
                with torch.no_grad():
                    after = target(torch.from_numpy(S2[i])).max(dim=1).values
                    y = torch.from_numpy(R[i]) + 0.99 * (1 - torch.from_numpy(D[i])) * after
                q = online(torch.from_numpy(S[i])).gather(1, torch.from_numpy(A[i])[:, None])[:, 0]
                loss = F.smooth_l1_loss(q, y)
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(online.parameters(), 10)
                optimizer.step()
    returns = []
    for episode in range(20):
        s, _ = env.reset(seed=10_000 + episode)
        total, over = 0.0, False
        while not over:
            with torch.no_grad():
                a = int(online(torch.from_numpy(s)[None]).argmax())
            s, r, terminated, truncated, _ = env.step(a)
            total, over = total + r, terminated or truncated
        returns.append(total)
    return float(np.mean(returns))


def ours(seed: int = 0, steps: int = STEPS) -> float:
    from tests.core.algorithms.dqn.training import run, start

    return run(start({"seed": seed}), steps).last("test/return")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name, train in (("plain", plain), ("Tenfold", ours)):
        began = time.process_time()
        reached = train()
        print(f"{name}: {time.process_time() - began:.1f} s, mean return {reached:.1f}", flush=True)
