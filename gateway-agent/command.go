package agent

import "nirapod/wire"

// command takes a person's word that came over the network. It can acknowledge
// one alert and nothing else. A box that does not know the time cannot tell
// whether the word is old, and takes none.
func (c *core) command(cmd wire.Command) {
	mono := c.clock.Mono()
	wall, _ := c.clock.Wall(mono)
	switch {
	case cmd.Kind != wire.CommandAck || cmd.Point == "":
		c.log.Warn("command refused", "id", cmd.ID, "kind", cmd.Kind)
	case wall.IsZero() || !wall.Before(cmd.Expires):
		c.log.Warn("command is too old, or the clock is not synchronised", "id", cmd.ID, "by", cmd.By)
	default:
		c.log.Info("acknowledged", "by", cmd.By, "point", cmd.Point)
		c.ann.Acknowledge(c.moment(mono), cmd.Point)
		c.act()
	}
}
