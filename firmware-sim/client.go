package sim

import (
	"encoding/json"
	"fmt"
	"time"

	"nirapod/firmware-sim/simbus"
)

// Client watches and disturbs the world of a running simulator. It is safe for
// concurrent use. Errors wrap simbus.ErrLink or simbus.ErrTimeout when the
// simulator is not there, and simbus.ErrRefused when it declined.
type Client struct{ conn *simbus.Conn }

// DialWorld returns a client of the simulator at addr, host:port. It connects
// at the first call, and again at the next one after a break.
func DialWorld(addr string) (*Client, error) {
	c, err := simbus.Open("sim://" + addr + "/world")
	if err != nil {
		return nil, err
	}
	return &Client{c}, nil
}

// Close ends the hold on the simulator.
func (c *Client) Close() error { return c.conn.Close() }

// Outputs returns what every output pin has done, in the scenario's order.
func (c *Client) Outputs() ([]Output, error) {
	var all []Output
	return all, c.ask(request{Op: "outputs"}, &all)
}

// Output returns what one output pin has done.
func (c *Client) Output(pin string) (Output, error) {
	all, err := c.Outputs()
	if err != nil {
		return Output{}, err
	}
	for _, o := range all {
		if o.Pin == pin {
			return o, nil
		}
	}
	return Output{}, fmt.Errorf("%s: %w: there is no output pin %s", c.conn, simbus.ErrRefused, pin)
}

// Forget drops what the outputs have done so far; a level that stands, stands.
func (c *Client) Forget() error { return c.ask(request{Op: "forget"}, nil) }

// Registers returns what stands in every chip's registers now.
func (c *Client) Registers() ([]Register, error) {
	var all []Register
	return all, c.ask(request{Op: "registers"}, &all)
}

// State returns where the world stands.
func (c *Client) State() (State, error) {
	var s State
	return s, c.ask(request{Op: "state"}, &s)
}

// Inject puts a fault on its target, in place of one of the same kind.
func (c *Client) Inject(f Fault) error { return c.ask(request{Op: "inject", Fault: &f}, nil) }

// Repair ends every fault on a target.
func (c *Client) Repair(target string) error {
	return c.ask(request{Op: "repair", Target: target}, nil)
}

// Set puts an input pin or a quantity of a zone's air to a value.
func (c *Client) Set(s Setting) error { return c.ask(request{Op: "set", Setting: &s}, nil) }

// Jump moves the world's time ahead to a time since the scenario's beginning;
// all that would have happened on the way happens at once.
func (c *Client) Jump(to time.Duration) error { return c.ask(request{Op: "jump", To: to}, nil) }

func (c *Client) ask(r request, answer any) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	reply, err := c.conn.Call(line)
	if err != nil || answer == nil {
		return err
	}
	return json.Unmarshal(reply, answer)
}
