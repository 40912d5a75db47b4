package rules

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"nirapod/safety"
)

// table reads the table of docs/rules.md whose first columns are these.
func table(t *testing.T, header ...string) [][]string {
	t.Helper()
	doc, err := os.ReadFile("../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	want, found := "| "+strings.Join(header, " | ")+" |", false
	var rows [][]string
	for line := range strings.Lines(string(doc)) {
		line = strings.TrimSpace(line)
		switch {
		case line == want:
			found = true
		case found && !strings.HasPrefix(line, "|"):
			return rows
		case found && !strings.HasPrefix(line, "|---"):
			var row []string
			for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
				row = append(row, strings.TrimSpace(cell))
			}
			rows = append(rows, row)
		}
	}
	t.Fatalf("docs/rules.md has no table %s", want)
	return nil
}

func parseTruth(t *testing.T, word string) truth {
	t.Helper()
	for _, v := range []truth{unknown, no, yes} {
		if v.String() == word {
			return v
		}
	}
	t.Fatalf("%q is not a truth value", word)
	return unknown
}

func constant(v truth) cond {
	return cond{eval: func(*view) truth { return v }}
}

func TestTheTruthTables(t *testing.T) {
	rows := table(t, "a", "b", "a && b", `a \|\| b`, "!a", "a == b")
	if len(rows) != 9 {
		t.Fatalf("%d rows, want all 9", len(rows))
	}
	for _, row := range rows {
		a, b := parseTruth(t, row[0]), parseTruth(t, row[1])
		ca, cb := constant(a), constant(b)
		for i, got := range []truth{
			join(ca, cb, "and", and, false).eval(&view{}),
			join(ca, cb, "or", or, true).eval(&view{}),
			negate(ca).eval(&view{}),
			iff(a, b),
		} {
			if want := parseTruth(t, row[2+i]); got != want {
				t.Errorf("%v, %v: column %d is %v, want %v", a, b, i+2, got, want)
			}
		}
	}
}

func parseSpan(t *testing.T, text string) span {
	t.Helper()
	var s span
	if text == "unknown" {
		return anything
	}
	if _, err := fmt.Sscanf(text, "[%g, %g]", &s.lo, &s.hi); err == nil {
		return s
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return exactly(v)
}

func TestTheComparisons(t *testing.T) {
	for _, row := range table(t, "a", "b", "a < b", "a <= b", "a > b", "a >= b", "a == b", "a != b") {
		a, b := parseSpan(t, row[0]), parseSpan(t, row[1])
		for i, op := range []string{"<", "<=", ">", ">=", "==", "!="} {
			if got, want := comparisons[op](a, b), parseTruth(t, row[2+i]); got != want {
				t.Errorf("%s %s %s is %v, want %v", row[0], op, row[1], got, want)
			}
		}
	}
}

// zoneOf builds an instance whose rule asks smoke heads, one for each word.
func zoneOf(t *testing.T, condition string, words []string) (*instance, *bound) {
	t.Helper()
	b, bad := lowerRule(&Rule{Scope: ScopeZone, When: condition}, newSlots())
	if len(bad) > 0 {
		t.Fatal(bad)
	}
	in := &instance{rule: b, zone: &place{Zone: &safety.Zone{}}, lists: make([][]*sensor, 1)}
	for _, w := range words {
		s := newSensor(safety.Sensor{Quantity: safety.Smoke, Period: 1e9}, in.zone, newSlots())
		r := map[string]safety.Reading{
			"t": {Quality: safety.Good, Value: 1}, "f": {Quality: safety.Good}, "?": {Reason: safety.NACK},
		}[w]
		s.take(r, 0)
		in.lists[0] = append(in.lists[0], s)
	}
	return in, b
}

func TestTheTablesOfZones(t *testing.T) {
	rows := table(t, "sensors", "any", "all", "none", "count", "count >= 1", "count >= 2", "count >= 3", "count == 1")
	for _, row := range rows {
		words := strings.Fields(row[0])
		if row[0] == "(none)" {
			words = nil
		}
		for i, condition := range []string{
			"any(smoke, .value == 1)", "all(smoke, .value == 1)", "none(smoke, .value == 1)", "",
			"count(smoke, .value == 1) >= 1", "count(smoke, .value == 1) >= 2",
			"count(smoke, .value == 1) >= 3", "count(smoke, .value == 1) == 1",
		} {
			if condition == "" {
				continue
			}
			in, b := zoneOf(t, condition, words)
			if got, want := b.when.eval(&view{in: in}), parseTruth(t, row[1+i]); got != want {
				t.Errorf("%s: %s is %v, want %v", row[0], condition, got, want)
			}
		}
		l := &lowerer{rule: &Rule{Scope: ScopeZone}, slots: newSlots()}
		n, err := parse("count(smoke, .value == 1) >= 0", environment(l.rule))
		if err != nil {
			t.Fatal(err)
		}
		in, _ := zoneOf(t, "any(smoke, .value == 1)", words)
		got := l.number(leftOf(n)).eval(&view{in: in})
		if text := fmt.Sprintf("[%g, %g]", got.lo, got.hi); text != row[4] {
			t.Errorf("%s: count is %s, want %s", row[0], text, row[4])
		}
	}
}

func TestTheTableOfWhatCanBe(t *testing.T) {
	rows := table(t, "quantity", "from", "to", "unit", "neighbours agree within")
	if len(rows) != len(physics) {
		t.Errorf("%d quantities in the document, %d in the code", len(rows), len(physics))
	}
	for _, row := range rows {
		q := safety.Quantity(row[0])
		p, ok := physics[q]
		tolerance := strconv.FormatFloat(p.tolerance, 'g', -1, 64)
		if p.tolerance == unlike {
			tolerance = "-"
		}
		got := []string{row[0], fmt.Sprintf("%g", p.low), fmt.Sprintf("%g", p.high), string(q.Unit()), tolerance}
		if !ok || strings.Join(got, "|") != strings.Join(row, "|") {
			t.Errorf("the document says %v, the code %v", row, got)
		}
	}
}
