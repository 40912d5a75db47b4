package notice

import (
	"fmt"
	"slices"
	"time"

	"nirapod/safety"
)

// Who lets a notice go.
const (
	byMachine = "machine"
	byPerson  = "person"
)

// Paper is one kind of notice that an incident opens.
type Paper struct {
	ID         string      `yaml:"id"` // immediate, s80, s81, ...
	Name       safety.Name `yaml:"name"`
	By         string      `yaml:"by"`        // machine: goes unsigned once confirmed; person: waits for a signature
	Addressee  string      `yaml:"addressee"` // a recipient; "" = DIFE
	Regime     string      `yaml:"regime"`
	Kinds      []string    `yaml:"kinds"`
	Clauses    []string    `yaml:"clauses"` // whose clocks it carries
	Form       safety.Name `yaml:"form"`    // that the Rules name for it; "" = none known
	From       string      `yaml:"from"`    // YYYY-MM-DD, Asia/Dhaka
	To         string      `yaml:"to"`      // last day of effect; "" = no known end
	Source     string      `yaml:"source"`
	Confidence string      `yaml:"confidence"`
	Verified   bool        `yaml:"verified"`
}

// Unsigned reports whether the machine may send the paper by itself.
func (k Paper) Unsigned() bool { return k.By == byMachine }

// Notices returns the papers that an incident of a kind opens at a site whose
// employer became aware of it at aware, in the order of the law data.
func (l *Law) Notices(kind string, site safety.Site, aware time.Time) []Paper {
	var kinds []Paper
	for _, k := range l.Papers {
		if k.Regime == regime(site) && slices.Contains(k.Kinds, kind) && inForce(k.From, k.To, aware) {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// paper returns a kind of notice; one that the law data does not know has its
// id for a name.
func (l *Law) paper(id string) Paper {
	for _, k := range l.Papers {
		if k.ID == id {
			return k
		}
	}
	return Paper{ID: id, Name: safety.Name{BN: id, EN: id}}
}

// checkPapers finds papers that cannot be, and clocks that no paper carries.
func (l *Law) checkPapers(add func(path, format string, args ...any)) {
	carried := map[string]string{}
	seen := map[string]bool{}
	for i, k := range l.Papers {
		at := func(field string) string { return fmt.Sprintf("notices[%d]%s", i, field) }
		if seen[k.ID] || k.ID == "" {
			add(at(".id"), "id %q is empty or used twice", k.ID)
		}
		seen[k.ID] = true
		if k.Name.BN == "" || k.Name.EN == "" || k.Source == "" || len(k.Kinds) == 0 {
			add(at(""), "a notice needs its name in both languages, kinds and a source")
		}
		if k.By != byMachine && k.By != byPerson {
			add(at(".by"), "%q is neither %s nor %s", k.By, byMachine, byPerson)
		}
		if k.Addressee != "" && !slices.ContainsFunc(l.Recipients, func(t Term) bool { return t.ID == k.Addressee }) {
			add(at(".addressee"), "no recipient %q", k.Addressee)
		}
		for _, kind := range k.Kinds {
			if !l.Notifiable(kind) {
				add(at(".kinds"), "%q is no notifiable kind", kind)
			}
		}
		checkDates(k.From, k.To, func(field, format string, args ...any) { add(at(field), format, args...) })
		for _, id := range k.Clauses {
			l.checkCarried(k, id, carried[id], func(format string, args ...any) { add(at(".clauses"), format, args...) })
			carried[id] = k.ID
		}
	}
	for _, c := range l.Clauses {
		if c.Starts == startsAware && carried[c.ID] == "" {
			add("notices", "no notice carries the clocks of %s", c.ID)
		}
	}
}

// checkCarried checks one clause of a paper: it is there, runs for the paper's
// kinds and regime, and no other paper carries it.
func (l *Law) checkCarried(k Paper, id, other string, wrong func(format string, args ...any)) {
	i := slices.IndexFunc(l.Clauses, func(c Clause) bool { return c.ID == id })
	switch {
	case i < 0:
		wrong("no clause %q", id)
	case other != "":
		wrong("%s is carried by %s already", id, other)
	case l.Clauses[i].Regime != k.Regime:
		wrong("%s is of regime %s", id, l.Clauses[i].Regime)
	case slices.ContainsFunc(l.Clauses[i].Kinds, func(kind string) bool { return !slices.Contains(k.Kinds, kind) }):
		wrong("%s runs for kinds that do not open this notice", id)
	case l.Clauses[i].From < k.From:
		wrong("%s is in force before this notice", id)
	}
}
