<?php
/**
 * Secrets in posts and widgets, where older players needed them.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Finds such secrets, and moves the server's secret from posts, revisions and widgets to the settings. */
final class PostSecrets {
	private const REPORT = 'lianmai_moved_';

	/** Hooks into WordPress. */
	public static function register(): void {
		add_action( 'admin_post_lianmai_move_secrets', array( self::class, 'on_move' ) );
	}

	/**
	 * Returns the posts with secrets. A revision counts as its post; all widgets together are Texts::WIDGETS.
	 *
	 * @return array<int, array<int, array{url: string, secret: string}>> Post => what is in it; '' for a secret of another name.
	 */
	public static function find(): array {
		$found = array();
		Texts::each(
			static function ( int $post, string $content ) use ( &$found ): string {
				self::rewrite(
					$content,
					static function ( string $url ) use ( $post, &$found ): string {
						$secrets = Secrets::find( $url );
						if ( array() !== $secrets ) {
							$found[ $post ][] = array(
								'url'    => $url,
								'secret' => isset( $secrets['secret'] ) ? $secrets['secret'] : '',
							);
						}
						return $url;
					}
				);
				return $content;
			}
		);
		return $found;
	}

	/**
	 * Moves the server's secret from the posts to the settings.
	 *
	 * @return string A sentence about the result.
	 */
	public static function move(): string {
		$secret = Settings::secret();
		if ( '' === $secret ) {
			if ( '' === Settings::api() ) {
				return __( 'Set the server’s address first: a secret belongs to a server.', 'lianmai' );
			}
			$secrets = self::secrets_of_server();
			if ( array() === $secrets ) {
				return __( 'No post holds a secret of the server of the settings. Enter it in the settings; then it can be taken out of the posts.', 'lianmai' );
			}
			if ( count( $secrets ) > 1 ) {
				return __( 'The posts hold different secrets. Enter the right one in the settings; then it can be taken out of the posts.', 'lianmai' );
			}
			$secret = $secrets[0];
			Settings::keep_secret( $secret );
		}
		$cleaned = self::clean( $secret );
		$posts   = count( array_diff_key( $cleaned, array( Texts::WIDGETS => true ) ) );
		/* translators: %d: how many posts. */
		$report = sprintf( _n( 'The secret is in the settings, and out of %d post and its revisions.', 'The secret is in the settings, and out of %d posts and their revisions.', $posts, 'lianmai' ), $posts );
		if ( isset( $cleaned[ Texts::WIDGETS ] ) ) {
			$report .= ' ' . __( 'It is out of the widgets too.', 'lianmai' );
		}
		$found = self::find();
		$left  = count( array_diff_key( $found, array( Texts::WIDGETS => true ) ) );
		if ( $left > 0 ) {
			/* translators: %d: how many posts. */
			$report .= ' ' . sprintf( _n( '%d post still holds another secret.', '%d posts still hold other secrets.', $left, 'lianmai' ), $left );
		}
		if ( isset( $found[ Texts::WIDGETS ] ) ) {
			$report .= ' ' . __( 'Widgets still hold other secrets.', 'lianmai' );
		}
		return $report;
	}

	/** The button. */
	public static function on_move(): void {
		check_admin_referer( 'lianmai_move_secrets' );
		if ( ! current_user_can( 'manage_options' ) || ! current_user_can( 'edit_others_posts' ) ) {
			wp_die( esc_html__( 'You may not do this.', 'lianmai' ), '', array( 'response' => 403 ) );
		}
		set_transient( self::REPORT . get_current_user_id(), self::move(), MINUTE_IN_SECONDS );
		wp_safe_redirect( SettingsPage::address() );
		exit;
	}

	/** Returns the result of the button, once. */
	public static function last_report(): string {
		$name   = self::REPORT . get_current_user_id();
		$report = get_transient( $name );
		delete_transient( $name );
		return is_string( $report ) ? $report : '';
	}

	/**
	 * Removes a secret from every text. Returns the changed texts.
	 *
	 * @return array<int, true>
	 */
	private static function clean( string $secret ): array {
		$cleaned = array();
		Texts::each(
			static function ( int $post, string $content ) use ( $secret, &$cleaned ): string {
				$new = self::rewrite(
					$content,
					static function ( string $url ) use ( $secret ): string {
						return in_array( $secret, Secrets::find( $url ), true ) ? Secrets::strip( $url ) : $url;
					}
				);
				if ( $new !== $content ) {
					$cleaned[ $post ] = true;
				}
				return $new;
			}
		);
		return $cleaned;
	}

	/**
	 * Applies a function to the addresses in a text.
	 *
	 * @param callable(string): string $with
	 */
	private static function rewrite( string $content, callable $with ): string {
		$new = preg_replace_callback(
			'~\b(?:https?|wss?|rtmps?|webrtc):(?:\\\\?/){2}(?:(?!\\\\u00(?:22|3[ce]))[^\s"\'<>\[\]])+~i',
			static function ( array $found ) use ( $with ): string {
				$url = str_replace( array( '\u0026', '&amp;', '&#038;', '&#38;', '\/' ), array( '&', '&', '&', '&', '/' ), $found[0] );
				$new = $with( $url );
				return $new === $url ? $found[0] : self::write( $new, $found[0] );
			},
			$content
		);
		return null === $new ? $content : $new;
	}

	/** @return array<int, string> */
	private static function secrets_of_server(): array {
		$secrets = array();
		foreach ( self::find() as $in_post ) {
			foreach ( $in_post as $one ) {
				if ( '' !== $one['secret'] && ( Address::same_host( $one['url'], Settings::server() ) || Address::same_host( $one['url'], Settings::api() ) ) ) {
					$secrets[] = $one['secret'];
				}
			}
		}
		return array_values( array_unique( $secrets ) );
	}

	/** Returns an address with the escapes of the address that it replaces. */
	private static function write( string $url, string $written ): string {
		foreach ( array( '\u0026', '&amp;', '&#038;', '&#38;' ) as $and ) {
			if ( false !== strpos( $written, $and ) ) {
				$url = str_replace( '&', $and, $url );
				break;
			}
		}
		return false !== strpos( $written, '\/' ) ? str_replace( '/', '\/', $url ) : $url;
	}
}
