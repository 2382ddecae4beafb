# Does what `brew install` and `brew test` would do with the formula, by hand: the tarball's checksum, the
# steps of `install` in its unpacked tree with a cellar in a temporary folder, then `test`. Dependencies are
# those of this machine.
require "fileutils"
require "tmpdir"

class Formula
  class << self
    attr_reader :said, :tested

    %i[desc homepage url sha256 license depends_on uses_from_macos].each do |word|
      define_method(word) { |*args, **more| ((@said ||= {})[word] ||= []) << (args.first || more) }
    end

    def test(&block)
      @tested = block
    end
  end

  attr_reader :prefix

  Folder = Struct.new(:path) do
    def to_s
      path
    end

    def install(*names)
      FileUtils.mkdir_p(path)
      names.each { |name| FileUtils.cp_r(name, path) }
    end
  end

  def initialize(prefix)
    @prefix = Folder.new(prefix)
  end

  { bin: "bin", lib: "lib", share: "share", man: "share/man", pkgshare: "share/mxprobe" }.each do |name, path|
    define_method(name) { Folder.new("#{prefix}/#{path}") }
  end

  def version
    self.class.said[:url].first[/-([0-9.]+)\.tar\.gz$/, 1]
  end

  def system(*words)
    Kernel.system(*words, out: File::NULL, exception: true)
  end

  def shell_output(command, status = 0)
    output = `#{command}`
    raise "#{command}: exit #{$?.exitstatus}" if $?.exitstatus != status

    output
  end

  def pipe_output(command, input, status)
    output = IO.popen(command, "r+") do |io|
      io.write(input)
      io.close_write
      io.read
    end
    raise "#{command}: exit #{$?.exitstatus}" if $?.exitstatus != status

    output
  end

  def assert_match(pattern, text)
    raise "no #{pattern.inspect} in: #{text}" unless pattern.match?(text)
  end
end

require_relative "mxprobe"

Dir.mktmpdir("mxprobe-brew.") do |dir|
  said = Mxprobe.said
  tarball = said[:url].first.delete_prefix("file://")
  raise "checksum" unless Digest::SHA256.file(tarball).hexdigest == said[:sha256].first

  Kernel.system("tar", "-xzf", tarball, "-C", dir, exception: true)
  formula = Mxprobe.new("#{dir}/cellar")
  Dir.chdir(Dir["#{dir}/mxprobe-*"].first) { formula.install }
  formula.instance_eval(&Mxprobe.tested)
  %w[share/man/man1/mxprobe.1 share/bash-completion/completions/mxprobe share/mxprobe/contrib/schema].each do |path|
    raise "no #{path}" unless File.exist?("#{dir}/cellar/#{path}")
  end
  puts "homebrew: installed and tested by the formula's steps"
end
