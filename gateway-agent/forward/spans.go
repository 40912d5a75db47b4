package forward

import (
	"slices"

	"nirapod/safety"
)

// spans is a set of numbers: ascending, apart, and never touching.
type spans []safety.Span

// add returns s with x in it.
func (s spans) add(x safety.Span) spans {
	if x.From > x.To {
		return s
	}
	i := 0
	for i < len(s) && s[i].To+1 < x.From {
		i++
	}
	j := i
	for j < len(s) && s[j].From <= x.To+1 {
		x.From, x.To = min(x.From, s[j].From), max(x.To, s[j].To)
		j++
	}
	return slices.Replace(slices.Clone(s), i, j, x)
}

// covers reports whether all of x is in s.
func (s spans) covers(x safety.Span) bool {
	return slices.ContainsFunc(s, func(c safety.Span) bool { return c.From <= x.From && x.To <= c.To })
}

// gap returns the first stretch of within that is not in s.
func (s spans) gap(within safety.Span) (safety.Span, bool) {
	for _, c := range s {
		switch {
		case c.To < within.From:
		case c.From > within.From:
			within.To = min(within.To, c.From-1)
			return within, within.From <= within.To
		default:
			within.From = c.To + 1
		}
	}
	return within, within.From <= within.To
}
