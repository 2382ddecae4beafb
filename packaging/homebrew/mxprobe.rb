# The tarball is the one that `make dist` leaves in build/ of this tree:
#   make dist && brew install --formula packaging/homebrew/mxprobe.rb
require "digest"

class Mxprobe < Formula
  TARBALL = Dir[File.expand_path("../../build/mxprobe-*.tar.gz", __dir__)].max.freeze

  desc "Probe of the servers that take mail for a domain"
  url "file://#{TARBALL}"
  sha256 Digest::SHA256.file(TARBALL).hexdigest
  license "ISC"

  depends_on "pkgconf" => :build
  depends_on "libevent"
  depends_on "libidn2"
  depends_on "openssl@3"

  # Loaded when they are asked for.
  uses_from_macos "curl"
  uses_from_macos "sqlite"

  def install
    system "make", "all", "PREFIX=#{prefix}"
    system "make", "install", "PREFIX=#{prefix}", "BINDIR=#{bin}", "MANDIR=#{man}", "DATADIR=#{share}",
           "PLUGINDIR=#{lib}/nagios/plugins"
    pkgshare.install "contrib"
  end

  test do
    assert_match(/^mxprobe #{version}$/, shell_output("#{bin}/mxprobe --version"))
    said = pipe_output("#{bin}/mxprobe --classify", "452 4.3.1 Out of memory\n", 0)
    assert_match(%r{^exhausted/memory\t}, said)
    said = shell_output("#{lib}/nagios/plugins/check_mxprobe --resolver 127.0.0.1:1 --helo [192.0.2.1] -H example.org", 3)
    assert_match(/^MXPROBE UNKNOWN - example.org: /, said)
  end
end
