"""What label disentanglement gains and costs, beside everything else that the same cost could buy."""
