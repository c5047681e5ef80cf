<?php
/**
 * A small media server that writes down what it is asked.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

/** `php -S` with a script of the test's own. */
final class Upstream {
	/** @var string */
	public $url = '';
	/** @var string */
	private $folder;
	/** @var resource */
	private $process;

	/** Starts it; the script is PHP that answers, and `$asked` in it is what came. */
	public function __construct( string $script ) {
		$this->folder = sys_get_temp_dir() . '/lianmai-upstream-' . bin2hex( random_bytes( 6 ) );
		mkdir( $this->folder );
		file_put_contents(
			$this->folder . '/router.php',
			'<?php $asked = array( "method" => $_SERVER["REQUEST_METHOD"], "uri" => $_SERVER["REQUEST_URI"], "headers" => getallheaders(), "body" => file_get_contents( "php://input" ) );'
			. 'file_put_contents( __DIR__ . "/asked", json_encode( $asked ) . "\n", FILE_APPEND );' . $script
		);
		// Port 0 is not told by php -S, so one is asked for first.
		$socket        = stream_socket_server( 'tcp://127.0.0.1:0' );
		$address       = stream_socket_get_name( $socket, false );
		fclose( $socket );
		$this->url     = 'http://' . $address;
		$this->process = proc_open(
			array( PHP_BINARY, '-S', $address, $this->folder . '/router.php' ),
			array( array( 'file', '/dev/null', 'r' ), array( 'file', $this->folder . '/log', 'w' ), array( 'file', $this->folder . '/log', 'w' ) ),
			$pipes
		);
		for ( $i = 0; $i < 1000; $i++ ) {
			$connection = @fsockopen( '127.0.0.1', (int) wp_parse_url( $this->url, PHP_URL_PORT ) );
			if ( false !== $connection ) {
				fclose( $connection );
				return;
			}
			usleep( 10000 );
		}
		throw new \RuntimeException( 'The test server did not start.' );
	}

	/** What it was asked. @return array<int, array<string, mixed>> */
	public function asked(): array {
		$lines = is_file( $this->folder . '/asked' ) ? file( $this->folder . '/asked' ) : array();
		return array_map(
			static function ( string $line ): array {
				return json_decode( $line, true );
			},
			$lines
		);
	}

	/** Ends it. */
	public function stop(): void {
		proc_terminate( $this->process );
		proc_close( $this->process );
		array_map( 'unlink', glob( $this->folder . '/*' ) );
		rmdir( $this->folder );
	}
}
