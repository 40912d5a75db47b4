package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"nirapod/alerts/ledger"
	"nirapod/alerts/notice"
	"nirapod/alerts/receiver"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/wire"
)

const (
	pollEvery  = time.Second // when nobody wakes it
	retryAfter = time.Second // after the state refused
)

// Config says where the desk is.
type Config struct {
	DeskURL   string // e.g. http://127.0.0.1:8090; "" = no desk: signals and notices stay prepared
	DeskToken string // bearer token of this sender
	Receivers []receiver.Receiver
	Client    *http.Client // nil: one with a timeout of 10 s
}

// Deps are what the role meets the others through. DB is required.
type Deps struct {
	DB *state.DB
	// Latched reports whether only a person ends a rule's alerts; nil: none.
	Latched func(rule string) bool
	// Command publishes a command to a gateway and returns once the broker has
	// it. nil: commands wait and expire. It must be safe for concurrent use. An
	// error wrapping safety.ErrInvalid ends the command; others are tried again.
	Command func(ctx context.Context, factory, gateway string, c wire.Command) error
	// Ledger signs the heads of what the state holds; nil: nothing is signed
	// nor shown to the desk.
	Ledger *ledger.Ledger
	// Changed is called after alerts, incidents or notices changed, from any
	// goroutine. It must not block. nil: nobody is told.
	Changed func()
}

// Alerts is the role. Acknowledge and Reset may be called at any time, also
// where Run is not running; Run at most once.
type Alerts struct {
	db         *state.DB
	law        *notice.Law
	deps       Deps
	log        *slog.Logger
	sites      *sites
	desk       *deskClient // nil: no desk
	carry      []*courier
	messengers []*messenger
	woken      chan struct{}
	cursor     int64        // id of the last transition applied; owned by Run
	watched    []*watch     // owned by Run
	at         func(string) // crash points of tests
}

// New checks the law data and returns the role. It starts nothing.
func New(cfg Config, deps Deps, log *slog.Logger) (*Alerts, error) {
	if deps.DB == nil {
		return nil, errors.New("alerts: a state is required")
	}
	law, err := notice.LoadLaw()
	if err != nil {
		return nil, fmt.Errorf("alerts: %w", err)
	}
	a := &Alerts{
		db: deps.DB, law: law, deps: deps, log: log, sites: &sites{db: deps.DB},
		woken: make(chan struct{}, 1), at: func(string) {},
	}
	a.carry = []*courier{newCourier(a, destGateway, a.toGateway)}
	for _, r := range cfg.Receivers {
		a.messengers = append(a.messengers, newMessenger(a, r))
	}
	if cfg.DeskURL != "" {
		a.desk = newDeskClient(cfg)
		a.carry = append(a.carry, newCourier(a, destDesk, a.toDesk))
	}
	a.watched = a.watches()
	return a, nil
}

// Wake tells Run that there are new transitions. It never blocks and is safe
// for concurrent use.
func (a *Alerts) Wake() {
	select {
	case a.woken <- struct{}{}:
	default:
	}
}

// told says that something changed: to those who look on, and to the couriers.
func (a *Alerts) told() {
	for _, c := range a.carry {
		c.wake()
	}
	for _, m := range a.messengers {
		m.wake()
	}
	if a.deps.Changed != nil {
		a.deps.Changed()
	}
}

func (a *Alerts) latched(rule string) bool { return a.deps.Latched != nil && a.deps.Latched(rule) }

// Run applies transitions and delivers what they lead to until ctx ends; then
// it returns ctx.Err(). Trouble with the state is logged and tried again.
func (a *Alerts) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.follow(ctx) })
	for _, c := range a.carry {
		g.Go(func() error { return c.run(ctx) })
	}
	for _, m := range a.messengers {
		g.Go(func() error { return m.run(ctx) })
	}
	if a.desk != nil {
		g.Go(func() error { return a.followSeen(ctx) })
	}
	if a.deps.Ledger != nil {
		g.Go(func() error { return a.publish(ctx) })
	}
	return g.Wait()
}

func (a *Alerts) follow(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	failing := false
	for {
		err := a.Step(ctx, time.Now().UTC().Truncate(time.Millisecond))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if (err != nil) != failing {
			failing = err != nil
			a.log.Error("alerts and the state", "failing", failing, "err", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-a.woken:
		case <-tick.C:
		}
		if failing {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(retryAfter):
			}
		}
	}
}

// Step does all that is to be done at now: first people are told, then what
// belongs together is found, then signals and notices are decided. Run calls it
// as time goes; whoever brings a time of their own calls it instead of Run, from
// one goroutine, with times that do not go back. It delivers nothing.
func (a *Alerts) Step(ctx context.Context, now time.Time) error {
	trouble := a.sites.refresh(ctx)
	for _, w := range a.watched {
		if trouble == nil {
			trouble = a.watch(ctx, w, now) // a fire is told all the same
		}
	}
	for {
		n, err := a.nextPage(ctx, now)
		if err != nil {
			return errors.Join(trouble, err)
		}
		if n == 0 {
			break
		}
		a.told()
		trouble = errors.Join(trouble, a.climb(ctx, now)) // signals are decided all the same
	}
	for {
		due, err := a.db.AlertsDue(ctx, now)
		if err != nil || !due {
			return errors.Join(trouble, err)
		}
		if err := errors.Join(a.climb(ctx, now), a.group(ctx, now), a.due(ctx, now)); err != nil {
			return errors.Join(trouble, err)
		}
		a.told()
	}
}

// nextPage applies one page. If the page cannot be applied, its transitions are
// tried one by one, so that a bad one holds up no other. Only one that is
// itself the trouble is skipped, and people are told of it; any other error is
// the state's, and the same transition is tried again.
func (a *Alerts) nextPage(ctx context.Context, now time.Time) (int, error) {
	n, err := a.applyPage(ctx, pageSize, now)
	if errors.Is(err, errMoved) {
		n, err = a.applyPage(ctx, pageSize, now)
	}
	if err == nil || ctx.Err() != nil {
		return n, err
	}
	n, err = a.applyPage(ctx, 1, now)
	if err == nil || !ofRecord(err) {
		return n, err
	}
	return a.skip(ctx, err, now)
}

// ofRecord reports whether an error is about what a record says, so that it
// would come again however often the record is tried.
func ofRecord(err error) bool {
	_, unwritable := errors.AsType[*json.MarshalerError](err)
	_, unsupported := errors.AsType[*json.UnsupportedValueError](err)
	_, garbled := errors.AsType[*json.SyntaxError](err)
	_, mistyped := errors.AsType[*json.UnmarshalTypeError](err)
	return unwritable || unsupported || garbled || mistyped ||
		errors.Is(err, safety.ErrInvalid) || errors.Is(err, safety.ErrConflict)
}

// skip passes over the next transition and tells people that it did.
func (a *Alerts) skip(ctx context.Context, why error, now time.Time) (int, error) {
	page, err := a.db.TransitionsAfter(ctx, a.cursor, 1)
	if err != nil || len(page) == 0 {
		return 0, errors.Join(why, err)
	}
	bad := page[0]
	err = a.db.Book(ctx, func(b *state.Book) error {
		if bad.Rule != faultSkipped {
			f := fault{faultSkipped, bad.Point, fmt.Sprintf("rule %s went to %s, which could not be recorded: look there", bad.Rule, bad.To)}
			if err := f.tellOnce(ctx, b, bad.Factory, bad.Zone, bad.Sensor, now); err != nil {
				return err
			}
		}
		return b.SetCursor(ctx, cursorName, bad.ID)
	})
	if err != nil {
		return 0, errors.Join(why, err)
	}
	a.cursor = bad.ID
	a.log.Error("transition skipped: it cannot be applied", "transition", bad.ID, "factory", bad.Factory,
		"rule", bad.Rule, "zone", bad.Zone, "to", bad.To.String(), "err", why)
	return 1, nil
}
