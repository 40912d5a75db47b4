package rules

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"nirapod/safety"
)

// Step makes a firing rule more severe while one alarm lasts: it goes up as
// soon as the rule fires and the step's condition is true, and never down
// before the rule is inactive again.
type Step struct {
	Severity safety.Severity // above the rule's own and that of the step before
	When     string          // condition, in expr
}

// climb goes up to the highest step whose condition is true, and reports
// whether that is higher than before.
func (in *instance) climb(v *view) bool {
	for n := len(in.rule.steps); n > int(in.step); n-- {
		v.in, v.cur, v.careful = in, in.own, false
		if in.rule.steps[n-1].eval(v) == yes {
			in.step, in.dirty = uint8(n), true
			return true
		}
	}
	return false
}

// severity is that of the step reached, or the rule's own.
func (in *instance) severity() safety.Severity {
	if in.step == 0 {
		return in.rule.Severity
	}
	return in.rule.Steps[in.step-1].Severity
}

const maxSteps = 3

func (f fields) steps(r *Rule) {
	n := f.of["steps"]
	if n == nil {
		return
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 || len(n.Content) > maxSteps {
		f.src.wrong(n, "steps: want a list of 1 to %d, each {severity, when}", maxSteps)
		return
	}
	last := r.Severity
	for _, item := range n.Content {
		in := f.src.mapping(item, "a step", "severity", "when")
		s := Step{Severity: severityOf(in), When: strings.TrimSpace(in.text("when"))}
		if s.Severity != "" && s.Severity.Rank() <= last.Rank() {
			f.src.wrong(in.of["severity"], "a step goes up: %s is not above %s", s.Severity, last)
		}
		last = s.Severity
		r.Steps = append(r.Steps, s)
	}
}

// stepField names a step's condition among the expressions of a rule.
func stepField(i int) string { return fmt.Sprintf("steps[%d]", i) }

// expression returns the node that holds an expression of the rule.
func (f fields) expression(field string) *yaml.Node {
	var i int
	if _, err := fmt.Sscanf(field, "steps[%d]", &i); err == nil {
		return f.src.mapping(f.of["steps"].Content[i], "a step", "severity", "when").of["when"]
	}
	if field == "delay" {
		return f.src.mapping(f.of[field], "delay", "while", "at_most").of["while"]
	}
	return f.of[field]
}
