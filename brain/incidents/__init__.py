"""From alerts to one incident: stored, folded by the plan, investigated, owned and closed."""
