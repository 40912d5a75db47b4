package sim

import (
	"fmt"
	"time"
)

// Output is what an output pin has done.
type Output struct {
	Pin         string        `json:"pin"`
	Level       bool          `json:"level"`
	Activations int           `json:"activations"`         // changes from low to high
	FirstOn     time.Time     `json:"first_on,omitzero"`   // zero if it never was high
	FirstOnAt   time.Duration `json:"first_on_at"`         // the same, since the scenario's beginning
	ChangedAt   time.Time     `json:"changed_at,omitzero"` // last change of level
}

// bounceSlot is how long a bouncing contact keeps a level.
const bounceSlot = 500 * time.Microsecond

// contact is an input pin of the board.
type contact struct {
	Pin
	dice    dice
	level   bool
	changed time.Duration
	until   time.Duration // then it goes back to !level; 0 = never
	kept    bool          // level while frozen
	frozen  bool
}

func (c *contact) set(now time.Duration, level bool, hold time.Duration) {
	if level != c.level {
		c.level, c.changed = level, now
	}
	c.until = 0
	if hold > 0 {
		c.until = now + hold
	}
}

// step releases the contact when its time is over.
func (c *contact) step(now time.Duration, fs faults) {
	if c.until > 0 && now >= c.until {
		c.set(c.until, !c.level, 0)
	}
	_, frozen := fs.on(Frozen, now)
	if frozen && !c.frozen {
		c.kept = c.level
	}
	c.frozen = frozen
}

// read returns the level at now, with its bounce.
func (c *contact) read(now time.Duration, fs faults) bool {
	if c.frozen {
		return c.kept
	}
	_, chatter := fs.on(Chatter, now)
	if chatter || c.changed > 0 && now < c.changed+c.Bounce {
		return c.dice.unit(int64(now/bounceSlot)) < 0.5
	}
	return c.level
}

// bank is the board's GPIO.
type bank struct {
	inputs  map[string]*contact
	outputs map[string]*Output
	order   []string // outputs as in the scenario
}

func newBank(pins []Pin, seed uint64) *bank {
	b := &bank{inputs: make(map[string]*contact), outputs: make(map[string]*Output)}
	for _, p := range pins {
		if p.Direction == "in" {
			b.inputs[p.Name] = &contact{Pin: p, dice: newDice(seed, "pin/"+p.Name), level: p.Level}
			continue
		}
		b.outputs[p.Name] = &Output{Pin: p.Name}
		b.order = append(b.order, p.Name)
	}
	return b
}

func (b *bank) input(name string) (*contact, error) {
	if c, ok := b.inputs[name]; ok {
		return c, nil
	}
	if _, ok := b.outputs[name]; ok {
		return nil, fmt.Errorf("pin %s is an output and is not read back", name)
	}
	return nil, fmt.Errorf("there is no pin %s", name)
}

func (b *bank) write(name string, level bool, now time.Duration, at time.Time) error {
	o, ok := b.outputs[name]
	if !ok {
		if _, in := b.inputs[name]; in {
			return fmt.Errorf("pin %s is an input", name)
		}
		return fmt.Errorf("there is no pin %s", name)
	}
	if level == o.Level {
		return nil
	}
	o.Level, o.ChangedAt = level, at
	if level {
		o.Activations++
	}
	if level && o.FirstOn.IsZero() {
		o.FirstOn, o.FirstOnAt = at, now
	}
	return nil
}

// forget drops what the outputs have done; a level that stands, stands.
func (b *bank) forget() {
	for name, o := range b.outputs {
		*o = Output{Pin: name, Level: o.Level}
	}
}
