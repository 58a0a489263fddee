package coordserver

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// jarFolder and jars are where Debian's package puts what a server needs; the
// rest is named in the manifest of the first.
const jarFolder = "/usr/share/java"

var jars = []string{"zookeeper.jar", "slf4j-simple.jar", "netty-codec.jar", "netty-resolver.jar"}

// mainClass also removes old snapshots when the server stands alone;
// ZooKeeperServerMain does not.
const mainClass = "org.apache.zookeeper.server.quorum.QuorumPeerMain"

// ErrMissing says that Java or ZooKeeper is not installed.
var ErrMissing = errors.New("ZooKeeper is not installed: apt-get install zookeeper default-jre-headless, or name its jars with --classpath '/opt/zookeeper/lib/*'")

// Command is a server that is ready to run.
type Command struct {
	Path   string   // of Java
	Args   []string // its arguments, the program's name first
	Config string   // the name of zoo.cfg
}

// Prepare writes what the server reads into Options.Data, and says how to run it.
// Errors: ErrMissing; options that contradict themselves; data of another member;
// those of the file system.
func Prepare(o Options) (Command, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Command{}, err
	}
	if o.Data, err = filepath.Abs(o.Data); err != nil {
		return Command{}, fmt.Errorf("data folder: %w", err)
	}
	java, path, err := o.program()
	if err != nil {
		return Command{}, err
	}
	config, err := o.write()
	if err != nil {
		return Command{}, err
	}
	args := []string{
		java, "-Xmx" + o.Heap, "-XX:+ExitOnOutOfMemoryError",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
		// It warns at each connection that the client does not ask for read-only servers.
		"-Dorg.slf4j.simpleLogger.log.org.apache.zookeeper.server.ZooKeeperServer=error",
		"-Dorg.slf4j.simpleLogger.showDateTime=true",
		"-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
	}
	args = append(append(args, o.Flags...), "-cp", path, mainClass, config)
	return Command{Path: java, Args: args, Config: config}, nil
}

// Exec makes this process the server. It returns only an error.
func (c Command) Exec() error {
	return fmt.Errorf("run %s: %w", c.Path, syscall.Exec(c.Path, c.Args, os.Environ())) //nolint:gosec // what the user asked to run
}

// program finds Java and the class path.
func (o Options) program() (java, path string, err error) {
	if java = o.Java; java == "" {
		java = "java"
	}
	if java, err = exec.LookPath(java); err != nil {
		return "", "", fmt.Errorf("%w (%w)", ErrMissing, err)
	}
	if java, err = filepath.Abs(java); err != nil {
		return "", "", err
	}
	if o.ClassPath != "" {
		return java, o.ClassPath, nil
	}
	var found []string
	for _, jar := range jars {
		name := filepath.Join(jarFolder, jar)
		if _, err := os.Stat(name); err != nil {
			return "", "", fmt.Errorf("%w (%w)", ErrMissing, err)
		}
		found = append(found, name)
	}
	return java, strings.Join(found, ":"), nil
}
