package influxstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/domain"

	"nirapod/safety"
)

// Plan says what an InfluxDB 2 has to hold for a Store: two buckets, a token
// for them and the tasks that fill the second from the first.
type Plan struct {
	URL string
	Org string // its name; it is there already
	TLS *tls.Config
	// OperatorToken may manage buckets, tokens and tasks of Org. The tasks run
	// with what its user may do.
	OperatorToken string

	Readings, Minutes Bucket
	// Shorten allows a bucket that keeps longer than planned to forget.
	Shorten bool
	// TokenFile takes the token that Store needs, readable by its owner only.
	TokenFile string
}

// Bucket is a bucket of the plan.
type Bucket struct {
	Name   string
	Retain time.Duration // whole seconds, at least an hour; 0 = for ever
}

// Provision makes what of p is missing or different, in any number of runs, and
// returns in words what it did; nothing when all was there. It was tried on
// the requests that InfluxDB 2 documents, not on InfluxDB 2.
func Provision(ctx context.Context, p Plan) (done []string, err error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	s := &provision{Plan: p}
	defer s.connect()()
	for _, step := range []func(context.Context) error{s.findOrg, s.makeBuckets, s.grant, s.makeTasks} {
		if err := step(ctx); err != nil {
			return s.done, err
		}
	}
	return s.done, nil
}

func (p Plan) check() error {
	var wrong []error
	mistake := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if p.Org == "" {
		mistake("the organisation is missing")
	}
	if p.TokenFile == "" {
		mistake("the token file is missing: name the file that takes the new token")
	}
	for _, b := range []Bucket{p.Readings, p.Minutes} {
		if !nameable(b.Name) || strings.HasPrefix(b.Name, "_") {
			mistake("bucket %q: is no name for a bucket", b.Name)
		}
		if b.Retain != 0 && (b.Retain < time.Hour || b.Retain%time.Second != 0) {
			mistake("bucket %q: retention %v: want 0 (for ever) or at least 1h", b.Name, b.Retain)
		}
	}
	if p.Readings.Name == p.Minutes.Name {
		mistake("bucket %q: readings and minutes need a bucket each", p.Minutes.Name)
	}
	// What is half forgotten would be worked out again, from the other half.
	if r := p.Readings.Retain; r != 0 && r < lateSpan+24*time.Hour {
		mistake("bucket %q: retention %v: want at least %v, so that late readings still get into their minutes", p.Readings.Name, r, lateSpan+24*time.Hour)
	}
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", safety.ErrInvalid, errors.Join(wrong...))
}

// provision is one run.
type provision struct {
	Plan
	client influxdb2.Client
	http   *http.Client

	org               string // ids
	readings, minutes string
	done              []string
}

func (s *provision) connect() (disconnect func()) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if s.TLS != nil {
		transport.TLSClientConfig = s.TLS.Clone()
	}
	s.http = &http.Client{Transport: transport, Timeout: DefaultPatience}
	s.client = s.as(s.OperatorToken)
	return func() {
		s.client.Close()
		s.http.CloseIdleConnections()
	}
}

// as returns a client that shows token.
func (s *provision) as(token string) influxdb2.Client {
	return influxdb2.NewClientWithOptions(s.URL, token, influxdb2.DefaultOptions().SetApplicationName("nirapod").SetHTTPClient(s.http))
}

func (s *provision) did(format string, args ...any) {
	s.done = append(s.done, fmt.Sprintf(format, args...))
}

func (s *provision) findOrg(ctx context.Context) error {
	answer, err := s.client.APIClient().GetOrgs(ctx, &domain.GetOrgsParams{Org: &s.Org})
	if err != nil && !isMissing(err) {
		return s.explain("organisation "+s.Org, err)
	}
	if err != nil || answer.Orgs == nil || len(*answer.Orgs) == 0 {
		return fmt.Errorf("InfluxDB %s: there is no organisation %q, or the operator token may not see it: create it (influx org create -n %s), or name another", s.URL, s.Org, s.Org)
	}
	s.org = deref((*answer.Orgs)[0].Id)
	return nil
}

func (s *provision) makeBuckets(ctx context.Context) (err error) {
	if s.readings, err = s.makeBucket(ctx, s.Readings, "readings of Nirapod; nothing else may write here"); err != nil {
		return err
	}
	s.minutes, err = s.makeBucket(ctx, s.Minutes, "minutes of the readings in "+s.Readings.Name)
	return err
}

func (s *provision) makeBucket(ctx context.Context, b Bucket, description string) (id string, err error) {
	what, seconds := "bucket "+b.Name, int64(b.Retain/time.Second)
	expire := domain.RetentionRuleTypeExpire
	rules := domain.RetentionRules{{Type: &expire, EverySeconds: seconds}}
	answer, err := s.client.APIClient().GetBuckets(ctx, &domain.GetBucketsParams{Name: &b.Name, OrgID: &s.org})
	if err != nil && !isMissing(err) {
		return "", s.explain(what, err)
	}
	if err != nil || answer.Buckets == nil || len(*answer.Buckets) == 0 {
		made, err := s.client.BucketsAPI().CreateBucket(ctx, &domain.Bucket{
			Name: b.Name, OrgID: &s.org, Description: &description, RetentionRules: rules,
		})
		if err != nil {
			return "", s.explain(what, err)
		}
		s.did("%s: made, keeps %s", what, kept(seconds))
		return deref(made.Id), nil
	}
	found := (*answer.Buckets)[0]
	return deref(found.Id), s.retain(ctx, what, found, rules)
}

// retain brings the retention of a bucket to rules.
func (s *provision) retain(ctx context.Context, what string, found domain.Bucket, rules domain.RetentionRules) error {
	var now int64
	for _, rule := range found.RetentionRules {
		now = rule.EverySeconds
	}
	want := rules[0].EverySeconds
	if now == want {
		return nil
	}
	if shorter := want != 0 && (now == 0 || want < now); shorter && !s.Shorten {
		return fmt.Errorf("%s keeps %s and is to keep %s: what is older would be lost; say -shorten if that is meant", what, kept(now), kept(want))
	}
	if _, err := s.client.BucketsAPI().UpdateBucket(ctx, &domain.Bucket{Id: found.Id, Name: found.Name, RetentionRules: rules}); err != nil {
		return s.explain(what, err)
	}
	s.did("%s: keeps %s, no longer %s", what, kept(want), kept(now))
	return nil
}

func kept(seconds int64) string {
	if seconds == 0 {
		return "for ever"
	}
	return (time.Duration(seconds) * time.Second).String()
}

func (s *provision) makeTasks(ctx context.Context) error {
	for _, t := range minutesTasks {
		if err := s.makeTask(ctx, t); err != nil {
			return s.explain("task "+t.title(s.Readings.Name), err)
		}
	}
	return nil
}

func (s *provision) makeTask(ctx context.Context, t minutesTask) error {
	name, flux, active := t.title(s.Readings.Name), t.flux(s.Readings.Name, s.Minutes.Name, s.Org), domain.TaskStatusTypeActive
	answer, err := s.client.APIClient().GetTasks(ctx, &domain.GetTasksParams{Name: &name, OrgID: &s.org})
	if err != nil && !isMissing(err) {
		return err
	}
	if err != nil || answer.Tasks == nil || len(*answer.Tasks) == 0 {
		_, err := s.client.TasksAPI().CreateTaskByFlux(ctx, flux, s.org)
		if err == nil {
			s.did("task %s: made, runs every %v", name, t.every)
		}
		return err
	}
	found := (*answer.Tasks)[0]
	if found.Flux == flux && found.Status != nil && *found.Status == active {
		return nil
	}
	// Only the script: with name or times beside it InfluxDB writes the script
	// anew in its own way.
	params := &domain.PatchTasksIDAllParams{TaskID: found.Id, Body: domain.PatchTasksIDJSONRequestBody{Flux: &flux, Status: &active}}
	if _, err = s.client.APIClient().PatchTasksID(ctx, params); err == nil {
		s.did("task %s: brought up to date", name)
	}
	return err
}

// explain adds to an error of the client what a person can do about it. The
// client puts InfluxDB's code before its words and keeps no status.
func (s *provision) explain(what string, err error) error {
	code := func(words string) bool { return strings.HasPrefix(err.Error(), words) }
	remedy := "InfluxDB's own log says more"
	switch _, silent := errors.AsType[*url.Error](err); {
	case silent:
		remedy = "see that InfluxDB runs there"
	case code("unauthorized"):
		remedy = "the operator token is missing or wrong"
	case code("forbidden"):
		remedy = "the operator token may not do this: give one that manages buckets, tokens and tasks of the organisation (influx auth create --all-access)"
	case code("404 "):
		remedy = "this is no InfluxDB 2; InfluxDB 1.8 needs no setup but a database (CREATE DATABASE)"
	}
	return fmt.Errorf("InfluxDB %s: %s: %w; %s", s.URL, what, err, remedy)
}

func isMissing(err error) bool { return strings.HasPrefix(err.Error(), "not found") }

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
