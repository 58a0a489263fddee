// Package coordserver runs a ZooKeeper server where ZooKeeper is installed, as
// the original's coordination server did: with a zoo.cfg that suits a cluster of
// hosts.
//
// The process becomes the server (exec): its id, its signals and its end are the
// server's own. zoo.cfg is written anew at each start into the data folder; myid
// is written once, and a folder that belongs to another member is refused.
//
// What is generated holds to these rules:
//
//   - An acknowledged write is on disk (forceSync).
//   - A follower that has lost its leader stops answering before the sessions that
//     it serves have expired elsewhere: syncLimit ticks are at most half of a
//     session of MinSession ticks.
//   - Snapshots come by size too, so that a restart replays no huge log, and old
//     ones are removed.
//   - Nothing of it can be administered over HTTP; of the four-letter commands
//     those that only tell are allowed.
package coordserver
