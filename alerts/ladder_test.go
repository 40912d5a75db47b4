package alerts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nirapod/alerts/receiver"
	"nirapod/safety"
	"nirapod/state"
)

// staffed is the plant with a committee of both sides, an owner who consented and
// a manager who did not.
func staffed() safety.Site {
	site := plant()
	site.Factory.Shifts, site.Factory.WeeklyHoliday = []safety.Shift{{ID: "all", From: "00:00", To: "24:00"}}, ""
	site.People.Committee = []safety.Member{
		{Side: "workers", Role: "vice_president", Phone: "01000000011", Email: "rahima@padma.test", Floor: "f2"},
		{Side: "management", Role: "president", Phone: "01000000002", Floor: "f1"},
	}
	site.People.Wardens = []safety.Member{
		{Role: "warden", Phone: "01000000014", Floor: "f1"}, {Role: "warden", Phone: "01000000015", Floor: "f9"},
		{Role: "warden", Phone: "01000000002", Floor: "f1"}, // twice in the lists, told once
	}
	site.Factory.Contacts = []safety.Contact{
		{Role: "owner", Phone: "01000000001", Consent: true}, {Role: "manager", Phone: "01000000003"},
		{Role: "fire_service", Phone: "16163"},
	}
	return site
}

// post is a receiver that keeps what it is given.
type post struct {
	mu   sync.Mutex
	sent []receiver.Message
	fail func(m receiver.Message) error
}

func (p *post) as(name, by string) receiver.Receiver {
	return receiver.Receiver{Name: name, By: by, Send: func(ctx context.Context, m receiver.Message) (string, error) {
		if p.fail != nil {
			if err := p.fail(m); err != nil {
				return "", err
			}
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.sent = append(p.sent, m)
		return "taken", ctx.Err()
	}}
}

func (p *post) got() []receiver.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.sent)
}

// wrote returns the addresses that a step wrote to about the only alert.
func (r *rig) wrote(step string) (addresses []string, all []state.Message) {
	r.t.Helper()
	for _, a := range r.alerts() {
		messages, err := r.db.Messages(r.t.Context(), a.ID)
		r.must(err)
		for _, m := range messages {
			if m.Step == step {
				addresses, all = append(addresses, m.Address), append(all, m)
			}
		}
	}
	return addresses, all
}

// stepOf returns the step of that name of the alert that has one.
func (r *rig) stepOf(name string) state.Step {
	r.t.Helper()
	for _, a := range r.alerts() {
		steps, err := r.db.Steps(r.t.Context(), a.ID)
		r.must(err)
		for _, s := range steps {
			if s.Name == name {
				return s
			}
		}
	}
	r.t.Fatalf("no step %s", name)
	return state.Step{}
}

// about returns the alerts of a rule.
func (r *rig) about(rule string) (out []safety.Alert) {
	r.t.Helper()
	for _, a := range r.alerts() {
		if a.Rule == rule {
			out = append(out, a)
		}
	}
	return out
}

func ladderRig(t *testing.T) *rig {
	p := new(post)
	return newRig(t, staffed(), Deps{}, Config{Receivers: []receiver.Receiver{p.as("sms", receiver.ByPhone), p.as("mail", receiver.ByMail)}})
}

func TestBothSidesAreToldInTheSameInstant(t *testing.T) {
	r := ladderRig(t)
	r.put(r.firing("store-smoke"))
	got, all := r.wrote(stepCommittee)
	slices.Sort(got)
	if want := []string{"01000000002", "01000000011", "01000000014", "rahima@padma.test"}; !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
	for _, m := range all {
		if !m.Created.Equal(r.now) {
			t.Errorf("%s is told at %v, not at %v", m.Role, m.Created, r.now)
		}
	}
	if s := r.stepOf(stepCommittee); s.Outcome != stepTold || !s.Done.Equal(r.now) {
		t.Errorf("%+v", s)
	}
	if got, _ := r.wrote(stepOwner); len(got) > 0 {
		t.Errorf("the owner is told before V1 is over: %v", got)
	}
}

func TestTheOwnerIsToldWhenTheDelaysEnd(t *testing.T) {
	owner := []string{"01000000001"} // who consented; the manager is on the call sheet
	for _, c := range []struct {
		name string
		do   func(r *rig)
		wait time.Duration // until the owner is told
	}{
		{"nobody acknowledges", func(*rig) {}, defaultV1},
		{"somebody looks", func(r *rig) {
			r.now = r.now.Add(10 * time.Second)
			_, err := r.a.Acknowledge(r.t.Context(), "rahima", r.alerts()[0].ID, r.now)
			r.must(err)
		}, defaultV2},
		{"it is confirmed", func(r *rig) { r.put(r.firing("store-heat")) }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := ladderRig(t)
			r.put(r.firing("store-smoke"))
			c.do(r)
			if c.wait > 0 {
				r.pass(c.wait - time.Millisecond)
				if got, _ := r.wrote(stepOwner); len(got) > 0 {
					t.Fatalf("told too early: %v", got)
				}
				r.pass(time.Millisecond)
			}
			if got, _ := r.wrote(stepOwner); !slices.Equal(slices.Compact(got), owner) {
				t.Errorf("told %v, want %v", got, owner)
			}
		})
	}
}

func TestWhoDoesNotAnswerIsToldAgain(t *testing.T) {
	r := ladderRig(t)
	r.put(r.firing("store-smoke"))
	r.pass(againAfter)
	if got, all := r.wrote(stepAgain); len(got) != 4 || !strings.Contains(all[0].Body.EN, unheeded.EN) {
		t.Errorf("told again: %v %v", got, all)
	}
	r = ladderRig(t)
	r.put(r.firing("store-smoke"))
	_, err := r.a.Acknowledge(t.Context(), "rahima", r.alerts()[0].ID, r.now)
	r.must(err)
	r.pass(againAfter)
	if got, _ := r.wrote(stepAgain); len(got) > 0 || r.stepOf(stepAgain).Outcome != stepOver {
		t.Errorf("told again although somebody looks: %v", got)
	}
}

func TestWhatIsNoAlarmWakesNobody(t *testing.T) {
	r := ladderRig(t)
	r.put(r.firing("store-smoke", func(t *safety.Transition) { t.Class, t.Severity = safety.ClassFault, safety.Warning }))
	if got, _ := r.wrote(stepCommittee); len(got) > 0 {
		t.Errorf("a fault wrote to %v", got)
	}
}

func TestADrillSaysSo(t *testing.T) {
	r := ladderRig(t)
	r.put(r.firing("store-smoke", simulated))
	_, all := r.wrote(stepCommittee)
	if len(all) == 0 || !strings.HasPrefix(all[0].Body.EN, "DRILL. ") || !strings.HasPrefix(all[0].Body.BN, "মহড়া। ") {
		t.Errorf("%+v", all)
	}
}

// The words: what, where, what to do, how sure, since when; within two segments.
func TestWords(t *testing.T) {
	a := safety.Alert{Hazard: safety.HazardFire, ZoneID: "store", Severity: safety.Evacuate, OccurredAt: t0}
	got := tell(plant(), a, stepCommittee, false)
	want := safety.Name{BN: "আগুন। গুদাম, নিচতলা। সবাই বের হন। যাচাই হয়নি। ১০:০০। পদ্মা", EN: "Fire. store, ground floor. Everyone out. Not verified. 10:00. Padma"}
	if got != want {
		t.Errorf("%q", got)
	}
	for hazard := range what {
		for _, step := range []string{stepCommittee, stepAgain, stepOwner} {
			a := safety.Alert{Hazard: hazard, ZoneID: "store", Severity: safety.Alarm, Exercise: true, Late: true, OccurredAt: t0}
			text := tell(plant(), a, step, true)
			if receiver.Cut(text.BN, 134) != text.BN || strings.Contains(text.BN, "নিরাপদ") || strings.Contains(strings.ToLower(text.EN), "safe") {
				t.Errorf("%s, %s: %q", hazard, step, text)
			}
		}
	}
}

func TestNobodyReachedIsWrittenDown(t *testing.T) {
	r := newRig(t, plant(), Deps{}, Config{Receivers: []receiver.Receiver{new(post).as("sms", receiver.ByPhone)}})
	r.put(r.firing("store-smoke"))
	if s := r.stepOf(stepCommittee); s.Outcome != stepNobody {
		t.Errorf("%+v", s)
	}
	r.step()
	if got := r.about(faultNobody); len(got) != 1 || got[0].State == safety.Cleared {
		t.Errorf("nobody sees it: %+v", got)
	}
}

// A slow, a dead and a lying receiver stand beside a good one.
func TestOneReceiverDelaysNoOther(t *testing.T) {
	slow, dead, lying, good := new(post), new(post), new(post), new(post)
	hold := make(chan struct{})
	release := sync.OnceFunc(func() { close(hold) })
	slow.fail = func(receiver.Message) error { <-hold; return nil }
	dead.fail = func(receiver.Message) error { return errors.New("connection refused") }
	lying.fail = func(receiver.Message) error {
		return fmt.Errorf("it says no such number of every number: %w", safety.ErrInvalid)
	}
	r := newRig(t, staffed(), Deps{}, Config{Receivers: []receiver.Receiver{
		slow.as("slow", receiver.ByPhone), dead.as("dead", receiver.ByPhone), lying.as("lying", receiver.ByPhone), good.as("good", receiver.ByPhone),
	}})
	r.now = time.Now().UTC().Truncate(time.Millisecond)
	stop := r.run()
	t.Cleanup(release)
	r.must(r.db.CommitBatch(t.Context(), batch(r.firing("store-smoke", func(t *safety.Transition) { t.Seq = 1 }))))
	r.a.Wake()
	r.until("the good one has told all three", func() bool { return len(good.got()) == 3 })
	r.until("each is written down", func() bool {
		return r.counts("good", state.MessageAccepted) == 3 && r.counts("lying", state.MessageRefused) == 3
	})
	if n := r.counts("slow", state.MessageWaiting) + r.counts("dead", state.MessageWaiting); n != 6 {
		t.Errorf("%d wait, want 6", n)
	}
	for name, works := range map[string]bool{"good": true, "dead": false, "lying": false, "slow": false} {
		known, err := r.db.Receiver(t.Context(), name)
		r.must(err)
		if (known.Accepted != nil) != works {
			t.Errorf("%s: %+v", name, known)
		}
	}
	release()
	r.until("the slow one has told them too", func() bool { return r.counts("slow", state.MessageAccepted) == 3 })
	stop()
}

func (r *rig) counts(name string, status state.MessageStatus) (n int) {
	r.t.Helper()
	for _, a := range r.alerts() {
		messages, err := r.db.Messages(r.t.Context(), a.ID)
		r.must(err)
		for _, m := range messages {
			if m.Receiver == name && m.Status == status {
				n++
			}
		}
	}
	return n
}

// What waits for one person while the receiver is away goes as one message.
func TestAFloodIsOneMessageAPerson(t *testing.T) {
	p, away := new(post), true
	var mu sync.Mutex
	p.fail = func(receiver.Message) error {
		mu.Lock()
		defer mu.Unlock()
		if away {
			return errors.New("no network")
		}
		return nil
	}
	r := newRig(t, staffed(), Deps{}, Config{Receivers: []receiver.Receiver{p.as("sms", receiver.ByPhone)}})
	r.now = time.Now().UTC().Truncate(time.Millisecond)
	for i := range 40 {
		r.put(r.firing("store-smoke", func(t *safety.Transition) { t.Point = fmt.Sprint("point-", i) }))
	}
	mu.Lock()
	away = false
	mu.Unlock()
	stop := r.run()
	r.until("all is taken", func() bool { return r.counts("sms", state.MessageAccepted) >= 120 })
	stop()
	if n := len(p.got()); n > 12 {
		t.Errorf("%d messages to three people about forty alarms", n)
	}
	if text := p.got()[0].Text.BN; !strings.HasPrefix(text, "(+৩৯) ") {
		t.Errorf("%q", text)
	}
}

// A step that cannot be done holds up neither other steps nor a signal.
func TestABrokenStepHoldsUpNoOther(t *testing.T) {
	r := ladderRig(t)
	r.must(r.db.Book(t.Context(), func(b *state.Book) error {
		return b.PlanStep(t.Context(), state.Step{Alert: "gone", Name: stepOwner, Factory: "padma", Due: r.now.Add(-time.Hour)})
	}))
	smoke, heat := r.firing("store-smoke"), r.firing("store-heat")
	smoke.Seq, heat.Seq = 1, 2
	r.must(r.db.CommitBatch(t.Context(), batch(smoke, heat)))
	for range 3 {
		if err := r.a.Step(t.Context(), r.now); err == nil {
			t.Fatal("a step of an alert that is not there went through")
		}
	}
	for _, step := range []string{stepCommittee, stepOwner} {
		if got, _ := r.wrote(step); len(got) == 0 {
			t.Errorf("step %s told nobody", step)
		}
	}
	if _, ok := r.signal(r.incidents()[0].ID, false); !ok {
		t.Error("the desk gets no signal")
	}
}

func TestPeopleHearOfMessagesThatDoNotGoOut(t *testing.T) {
	r := ladderRig(t) // nothing carries them: Run is not running
	r.put(r.firing("store-smoke"))
	r.pass(unheardAfter - time.Second)
	if got := r.about(faultWaits); len(got) > 0 {
		t.Errorf("told too early: %+v", got)
	}
	r.pass(time.Second)
	r.step()
	if got := r.about(faultWaits); len(got) != 1 || got[0].Condition != conditionFiring || got[0].Class != safety.ClassFault {
		t.Fatalf("%+v", got)
	}
	waiting, err := r.db.WaitingMessages(t.Context(), "sms", r.now, 100)
	r.must(err)
	mail, err := r.db.WaitingMessages(t.Context(), "mail", r.now, 100)
	r.must(err)
	r.must(r.db.Book(t.Context(), func(b *state.Book) error {
		for _, m := range append(waiting, mail...) {
			if err := b.EndMessage(t.Context(), m.ID, state.MessageAccepted, "taken", r.now); err != nil {
				return err
			}
		}
		return nil
	}))
	r.step()
	r.step()
	if got := r.about(faultWaits); got[0].Condition != conditionInactive {
		t.Errorf("%+v", got[0])
	}
}
