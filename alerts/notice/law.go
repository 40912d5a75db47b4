package notice

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"nirapod/internal/yamlfile"
	"nirapod/safety"
)

//go:embed law/*.yaml
var shipped embed.FS

// Law is the loaded law data. It is immutable after LoadLaw and safe for
// concurrent use.
type Law struct {
	Kinds      []Kind
	Hazards    []Hazard // the first of two wins where they share an incident
	Clauses    []Clause
	Papers     []Paper
	Recipients []Term
	Fields     []Field
	weekend    []time.Weekday
	holidays   []Holiday
}

// Kind is what an incident can be called.
type Kind struct {
	ID         string      `yaml:"id"`
	Notifiable bool        `yaml:"notifiable"`
	Name       safety.Name `yaml:"name"`
	Source     string      `yaml:"source"`
	Confidence string      `yaml:"confidence"` // V, V2, R, I: see law/kinds.yaml
	Verified   bool        `yaml:"verified"`   // a person checked it against the gazette
}

// Hazard says which kind of incident a hazard makes and with which other
// hazards it may share one.
type Hazard struct {
	ID   safety.Hazard   `yaml:"id"`
	Kind string          `yaml:"kind"`
	With []safety.Hazard `yaml:"with"`
}

// Clause is one legal deadline.
type Clause struct {
	ID         string   `yaml:"id"`
	Law        string   `yaml:"law"`
	Clause     string   `yaml:"clause"`
	BN         string   `yaml:"bn"` // law and clause in Bangla
	Kinds      []string `yaml:"kinds"`
	Regime     string   `yaml:"regime"`
	Recipients []string `yaml:"recipients"`
	Starts     string   `yaml:"starts"` // aware | death
	Deadline   Deadline `yaml:"deadline"`
	MetBy      string   `yaml:"met_by"` // receipt, or "" when only a person's entry ends it
	From       string   `yaml:"from"`   // YYYY-MM-DD, Asia/Dhaka
	To         string   `yaml:"to"`     // last day of effect; "" = no known end
	Source     string   `yaml:"source"`
	Confidence string   `yaml:"confidence"`
	Verified   bool     `yaml:"verified"`
}

// Term is a word of the law in both languages.
type Term struct {
	ID   string      `yaml:"id"`
	Name safety.Name `yaml:"name"`
}

// Field is one field of the paper and who can fill it: machine or human.
type Field struct {
	ID    string      `yaml:"id"`
	By    string      `yaml:"by"`
	Label safety.Name `yaml:"label"`
}

// Holiday is a fixed-date day off.
type Holiday struct {
	Date       string      `yaml:"date"` // MM-DD
	Name       safety.Name `yaml:"name"`
	Confidence string      `yaml:"confidence"`
	Verified   bool        `yaml:"verified"` // unverified: it counts as a working day
}

// LoadLaw reads and checks the law data that ships with the program.
func LoadLaw() (*Law, error) {
	sub, err := fs.Sub(shipped, "law")
	if err != nil {
		return nil, err
	}
	return LoadLawFrom(sub)
}

// LoadLawFrom reads law data from the root of fsys. All mistakes are returned
// at once, each with file and line; the error wraps safety.ErrInvalid.
func LoadLawFrom(fsys fs.FS) (*Law, error) {
	var l Law
	kinds := struct {
		Kinds   []Kind   `yaml:"kinds"`
		Hazards []Hazard `yaml:"hazards"`
	}{}
	clocks := struct {
		Clauses []Clause `yaml:"clauses"`
	}{}
	papers := struct {
		Notices []Paper `yaml:"notices"`
	}{}
	recipients := struct {
		Recipients []Term `yaml:"recipients"`
	}{}
	fields := struct {
		Fields []Field `yaml:"fields"`
	}{}
	var days struct {
		Weekend    []string  `yaml:"weekend"`
		Source     string    `yaml:"source"`
		Confidence string    `yaml:"confidence"`
		Verified   bool      `yaml:"verified"`
		Holidays   []Holiday `yaml:"holidays"`
	}
	files := map[string]*yamlfile.File{}
	var errs []error
	for name, into := range map[string]any{
		"kinds.yaml": &kinds, "clocks.yaml": &clocks, "notices.yaml": &papers, "recipients.yaml": &recipients,
		"calendar.yaml": &days, "fields.yaml": &fields,
	} {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("law data: %w", err)
		}
		file, err := yamlfile.Parse("law/"+name, data, into)
		files[name], errs = file, append(errs, err)
	}
	l.Kinds, l.Hazards, l.Clauses = kinds.Kinds, kinds.Hazards, clocks.Clauses
	l.Papers = papers.Notices
	l.Recipients, l.Fields, l.holidays = recipients.Recipients, fields.Fields, days.Holidays
	errs = append(errs, l.setWeekend(days.Weekend, files["calendar.yaml"]))
	errs = append(errs, l.check(files)...)
	if err := yamlfile.Join(errs...); err != nil {
		return nil, err
	}
	return &l, nil
}

func (l *Law) setWeekend(words []string, file *yamlfile.File) error {
	var errs []error
	for i, word := range words {
		day, ok := weekday(word)
		if !ok {
			errs = append(errs, file.Errorf(fmt.Sprintf("weekend[%d]", i), "no weekday %q", word))
		}
		l.weekend = append(l.weekend, day)
	}
	return yamlfile.Join(errs...)
}

// Kind returns the kind of incident named id.
func (l *Law) Kind(id string) (Kind, bool) {
	i := slices.IndexFunc(l.Kinds, func(k Kind) bool { return k.ID == id })
	if i < 0 {
		return Kind{}, false
	}
	return l.Kinds[i], true
}

// Notifiable reports whether an incident of this kind opens notices. An
// unknown kind does not.
func (l *Law) Notifiable(kind string) bool {
	k, ok := l.Kind(kind)
	return ok && k.Notifiable
}

// KindOf returns the kind of an incident with alarms of these hazards.
func (l *Law) KindOf(hazards ...safety.Hazard) string {
	for _, h := range l.Hazards {
		if slices.Contains(hazards, h.ID) {
			return h.Kind
		}
	}
	return string(safety.HazardSystem)
}

// Compatible reports whether alarms of hazards a and b may share an incident.
func (l *Law) Compatible(a, b safety.Hazard) bool {
	if a == b {
		return true
	}
	i := slices.IndexFunc(l.Hazards, func(h Hazard) bool { return h.ID == a })
	return i >= 0 && slices.Contains(l.Hazards[i].With, b)
}

// title names a clock's law and clause in both languages.
func (l *Law) title(c safety.Clock) safety.Name {
	name := safety.Name{EN: c.Law + ", " + c.Clause}
	name.BN = name.EN
	for _, clause := range l.Clauses {
		if clause.Law == c.Law && clause.Clause == c.Clause {
			name.BN = clause.BN
		}
	}
	return name
}

// Recipient returns the words for a recipient's id, or the id itself.
func (l *Law) Recipient(id string) safety.Name { return term(l.Recipients, id) }

func term(terms []Term, id string) safety.Name {
	for _, t := range terms {
		if t.ID == id {
			return t.Name
		}
	}
	return safety.Name{BN: id, EN: id}
}
