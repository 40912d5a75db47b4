package backtest

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// dhaka is local time everywhere in Bangladesh, which has no summer time.
var dhaka = time.FixedZone("+06", 6*60*60)

func clock(t time.Time) string { return t.In(dhaka).Format("2006-01-02 15:04:05") }

// WriteJSON writes the report as one object.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// Write writes the report for people; times are those of Dhaka.
func (r *Report) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "From %s to %s (Dhaka), %d readings.\n", clock(r.From), clock(r.To), r.Readings)
	for _, part := range []struct {
		kind  Kind
		title string
	}{
		{Missed, "MISSED: the present rules raise it, the edit does not"},
		{Raised, "NEW: the edit raises it, the present rules do not"},
		{Moved, "MOVED: both raise it, at other times"},
	} {
		n := 0
		for _, c := range r.Changes {
			if c.Kind != part.kind {
				continue
			}
			if n++; n == 1 {
				fmt.Fprintf(&b, "\n%s\n", part.title)
			}
			b.WriteString("  " + c.text() + "\n")
		}
		if n == 0 {
			fmt.Fprintf(&b, "\n%s: nothing that the readings show\n", part.title)
		}
	}
	fmt.Fprintf(&b, "\nUnchanged: %d\n", r.Same)
	r.writeGaps(&b)
	if len(r.Unbound) > 0 {
		b.WriteString("\nNOT ASKED\n")
		for _, text := range r.Unbound {
			b.WriteString("  " + text + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) writeGaps(b *strings.Builder) {
	if len(r.Gaps) == 0 {
		b.WriteString("\nEvery sensor was heard with good values throughout, but for less than a minute.\n")
		return
	}
	b.WriteString("\nUNKNOWN: what these sensors would have shown is not known. Nothing raised there does not mean that nothing happened\n")
	for _, g := range r.Gaps {
		fmt.Fprintf(b, "  %s in %s: %s from %s to %s, %.2f h\n", g.Sensor, g.Zone, g.Why, clock(g.From), clock(g.To), g.Lasts().Hours())
	}
}

func (c Change) text() string {
	where := c.Zone
	if c.Sensor != "" {
		where = c.Sensor + " in " + c.Zone
	}
	out := fmt.Sprintf("%s %s (%s) at %s: ", c.Class, c.Rule, c.Severity, where)
	switch c.Kind {
	case Missed:
		out += "missed, " + c.Present.text()
	case Raised:
		out += "raised, " + c.Edit.text()
	case Moved:
		out += shift(*c.Present, *c.Edit) + "; now " + c.Present.text() + ", then " + c.Edit.text()
	}
	if len(c.Told) == 0 {
		return out + "; nobody was told at the time"
	}
	for i, w := range c.Told {
		if i == 0 {
			out += "; told at the time by "
		} else {
			out += " and "
		}
		out += w.Source + " " + w.At.In(dhaka).Format("15:04:05")
	}
	return out
}

func (s Span) text() string {
	if s.To.IsZero() {
		return "from " + clock(s.From) + " on"
	}
	return fmt.Sprintf("%s for %v", clock(s.From), s.To.Sub(s.From).Round(time.Second))
}

func shift(present, edit Span) string {
	switch d := edit.From.Sub(present.From); {
	case d < 0:
		return fmt.Sprintf("raised %v earlier", -d)
	case d > 0:
		return fmt.Sprintf("raised %v LATER", d)
	}
	return "raised alike, ends at another time"
}
